"""What is known of a resource type, gathered from the books, the SDK and the rules that hold for whole packages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tollgate.books.replacement import ReplacementFacts, replacement_facts
from tollgate.rehearsal.conditions import Settings
from tollgate.rehearsal.outputs import Kind
from tollgate.rehearsal.sdk_types import Sdk, Shape
from tollgate.rehearsal.values import Properties, decode_config, plain

NOTHING_KNOWN = ReplacementFacts(replace=(), replace_if={}, sensitive=(), outputs={})
# The rule of kubernetes-immutable.yaml that holds for every kind, custom ones too.
EVERY_OBJECT = ReplacementFacts(
    replace=("metadata.name", "metadata.namespace"),
    replace_if={},
    sensitive=(),
    outputs={
        "metadata.creationTimestamp": "{time}",
        "metadata.resourceVersion": "{digits:6}",
        "metadata.uid": "{uuid}",
    },
)
# Older versions of kinds in that table, which has rules of its own for some of them.
_OTHER_VERSION = re.compile(r"kubernetes:(apps|batch|rbac\.authorization\.k8s\.io)/v\d+(alpha|beta)\d+:(?!.*Patch$)")
OPTIONS = ("enableConfigMapMutable", "enableSecretMutable")


@dataclass(frozen=True, slots=True)
class Known:
    """A type, and whether its replacement behaviour is known at all."""

    kind: Kind
    listed: bool


def known(token: str, sdk: Sdk | None, settings: Settings) -> Known:
    """Everything known of a type."""
    facts = replacement_facts().get(token)
    types = sdk.types(token) if sdk else None
    if facts is not None:
        return Known(Kind(token, facts, types, settings), listed=True)
    if not token.startswith("kubernetes:"):
        return Known(Kind(token, NOTHING_KNOWN, types, settings), listed=False)
    # The book has every kind of the provider's table; for all others the rule for every kind is all there is.
    return Known(Kind(token, EVERY_OBJECT, types, settings), listed=not _OTHER_VERSION.match(token))


def metadata_shape(sdk: Sdk | None) -> Shape | None:
    """The type of ``metadata``, which custom resources have too."""
    return Shape("object", fields=(sdk.folder / "meta" / "v1" / "_inputs.py", "ObjectMetaArgs")) if sdk else None


def provider_settings(package: str, config: Properties) -> Settings:
    """What the program told a provider, as far as it matters here. Unset ones keep the stand-in's own values."""
    values = {name: decode_config(value) for name, value in config.items()}
    if package == "kubernetes":
        on = frozenset(name for name in OPTIONS if str(values.get(name)).lower() == "true")
        return Settings(namespace=str(values.get("namespace") or "default"), options=on)
    tags = values.get("defaultTags")
    given = plain(tags.get("tags")) if isinstance(tags, dict) else None
    allowed = values.get("allowedAccountIds")
    account = str(plain(allowed[0])) if isinstance(allowed, list) and allowed else Settings().account
    return Settings(
        region=str(values.get("region") or Settings().region),
        account=account,
        default_tags=given if isinstance(given, dict) else None,
    )
