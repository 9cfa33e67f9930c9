"""What a resource looks like once it is made: the id and the properties that the cloud computes.

Pure and deterministic: everything invented comes from the URN. In a preview what the cloud computes is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tollgate.books.replacement import ReplacementFacts
from tollgate.policy.sentinels import UNKNOWN
from tollgate.rehearsal.conditions import Settings
from tollgate.rehearsal.plausible import default_port, plausible, short_region
from tollgate.rehearsal.sdk_types import ANY, ResourceTypes
from tollgate.rehearsal.templates import Dice, Words, names_in
from tollgate.rehearsal.values import DEFAULTS, INVENTED, Properties, contains_unknown, plain, without_marks

# Outputs that count the changes of a resource, and start at 1 in the books.
COUNTERS = frozenset({"version", "latestVersion", "latestRevision"})
# What a service takes when these inputs are not given (notes of the books; IAM and Kubernetes documentation).
UNSET = {"path": "/", "spec.replicas": 1, "spec.minReplicas": 1}


@dataclass(frozen=True, slots=True)
class Kind:
    """All that is known of one resource type, and of the provider it is made by."""

    token: str
    facts: ReplacementFacts
    types: ResourceTypes | None
    settings: Settings

    @property
    def kubernetes(self) -> bool:
        return self.token.startswith("kubernetes:")

    @property
    def computed(self) -> frozenset[str]:
        """Top-level outputs that the program cannot give."""
        listed = {name.partition(".")[0] for name in self.facts.outputs if name != "id" and "." not in name}
        return frozenset(listed | (self.types.computed if self.types else set()))

    def filled_in(self, given: Properties) -> frozenset[str]:
        """Top-level inputs that the program may give, and otherwise the cloud does."""
        if self.types is None or self.kubernetes:
            return frozenset()
        return frozenset(self.types.kept_when_dropped - {name for name, value in given.items() if value is not None})


def planned(kind: Kind, inputs: Properties) -> Properties:
    """The properties of a resource that is about to be made: what the cloud computes is unknown."""
    outputs = _given(kind, inputs)
    for name in (*kind.computed, *kind.filled_in(inputs)):
        outputs[name] = kind.settings.region if name == "region" else UNKNOWN
    for path in _nested(kind):
        _set(outputs, path, UNKNOWN)
    return _with_tags(kind, outputs, inputs)


def made(kind: Kind, inputs: Properties, seed: str) -> tuple[str, Properties]:
    """The id and the properties of a resource that was just made."""
    maker = _Maker(kind, _given(kind, inputs), Dice(seed))
    identity = maker.identity(seed.rpartition("#")[0].rpartition("::")[2])
    outputs = dict(maker.given)
    for name in sorted(kind.computed | kind.filled_in(inputs)):
        outputs[name] = maker.output(name)
    for path in _nested(kind):
        _set(outputs, path, maker.output(path))
    outputs = {name: value for name, value in outputs.items() if value is not None}
    invented = sorted(name for name in kind.filled_in(inputs) & outputs.keys() if not _founded(kind, name))
    if invented:
        outputs[INVENTED] = invented
    return identity, _with_tags(kind, outputs, inputs)


def changed(
    kind: Kind, state: Properties, old: Properties, new: Properties, identity: str, seed: str, *, preview: bool
) -> Properties:
    """The properties after an update in place. What the cloud computed stays, unless it is made of what changed."""
    different = {
        name for name in old.keys() | new.keys() if without_marks(old.get(name)) != without_marks(new.get(name))
    }
    kept = kind.types.kept_when_dropped if kind.types and not kind.kubernetes else frozenset()
    dropped = {name for name in different if new.get(name) is None and name not in kept}
    outputs = {name: value for name, value in state.items() if name not in dropped} | _over(kind, state, new)
    maker = _Maker(kind, outputs, Dice(seed), {"id": identity})
    for path in _affected(kind, different, old, new):
        _set(outputs, path, UNKNOWN if preview else maker.fresh(path))
    for name in COUNTERS & kind.facts.outputs.keys():
        if different - {"tags", "tagsAll", DEFAULTS} and kind.facts.outputs[name] == "1":
            outputs[name] = UNKNOWN if preview else _next(state.get(name))
    if INVENTED in outputs:
        outputs[INVENTED] = [name for name in outputs[INVENTED] if new.get(name) is None]
    return _with_tags(kind, outputs, new)


def found(kind: Kind, identity: str, given: Properties, seed: str) -> tuple[Properties, Properties]:
    """Inputs and properties of a resource that was not made here: only its id, and what the program says, is known."""
    inputs = {**_from_identity(kind, identity), **given}
    _, outputs = made(kind, inputs, seed)
    return inputs, {**outputs, **given}


def _founded(kind: Kind, name: str) -> bool:
    """True for a value that the books or the provider's settings give."""
    return name in kind.facts.outputs or name in ("region", "port")


def _given(kind: Kind, inputs: Properties) -> Properties:
    """The inputs as the cloud gives them back: a Kubernetes object always says its namespace."""
    given = {name: value for name, value in inputs.items() if name != DEFAULTS}
    if kind.kubernetes and "{metadata.namespace}" in kind.facts.outputs.get("id", ""):
        metadata = plain(given.get("metadata"))
        if isinstance(metadata, dict) and metadata.get("namespace") is None:
            given["metadata"] = {**metadata, "namespace": kind.settings.namespace}
    return given


def _over(kind: Kind, state: Properties, new: Properties) -> Properties:
    """The new inputs over the old state; in a Kubernetes object the server's own fields survive."""
    given = _given(kind, new)
    for path in _nested(kind):
        before = _get(state, path)
        if before is not None and _get(given, path) is None:
            _set(given, path, before)
    return given


def _nested(kind: Kind) -> list[str]:
    return [path for path in kind.facts.outputs if "." in path]


def _affected(kind: Kind, different: set[str], old: Properties, new: Properties) -> list[str]:
    """Outputs whose template names something that differs, directly or through another output."""

    def differs(name: str) -> bool:
        return name in different or ("." in name and _get(old, name) != _get(new, name))

    templates = {path: names_in(template) for path, template in kind.facts.outputs.items() if path != "id"}
    hit: set[str] = set()
    while True:
        more = {path for path, names in templates.items() if any(name in hit or differs(name) for name in names)} - hit
        if not more:
            return [path for path in templates if path in hit]
        hit |= more


def all_tags(kind: Kind, inputs: Properties) -> Properties | str | None:
    """The tags over the provider's default tags; None for a type that has none, the sentinel while some are unknown."""
    if kind.types is None or "tagsAll" not in kind.types.outputs:
        return None
    tags = plain(inputs.get("tags")) or {}
    if contains_unknown(tags):
        return UNKNOWN
    return {**(kind.settings.default_tags or {}), **(tags if isinstance(tags, dict) else {})}


def _with_tags(kind: Kind, outputs: Properties, inputs: Properties) -> Properties:
    """``tagsAll`` is known before anything is made."""
    tags = all_tags(kind, inputs)
    return outputs if tags is None else {**outputs, "tagsAll": tags}


def _from_identity(kind: Kind, identity: str) -> Properties:
    template = kind.facts.outputs.get("id", "")
    if kind.kubernetes:
        namespace, _, name = identity.rpartition("/")
        return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {})}}
    names = names_in(template)
    if len(names) == 1 and template == "{" + min(names) + "}" and kind.types and min(names) in kind.types.inputs:
        return {min(names): identity}
    return {}


def _next(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, str) and value.isdigit():
        return str(int(value) + 1)
    return value + 1 if isinstance(value, (int, float)) else value


def _get(properties: Mapping[str, Any], path: str) -> Any:
    value: Any = properties
    for name in path.split("."):
        value = plain(value)
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _set(properties: Properties, path: str, value: Any) -> None:
    """Set a nested value; the dicts on the way are copied, the caller's are never touched."""
    head, _, rest = path.partition(".")
    if not rest:
        properties[head] = value
        return
    inner = plain(properties.get(head))
    if inner is None or isinstance(inner, dict):
        copy = dict(inner or {})
        _set(copy, rest, value)
        properties[head] = copy


@dataclass(slots=True)
class _Maker:
    """Computes outputs of one resource on demand: one may be made of others."""

    kind: Kind
    given: Properties
    dice: Dice
    done: dict[str, Any] = field(default_factory=dict)

    def identity(self, resource: str) -> str:
        if "id" not in self.done:
            if "id" in self.kind.facts.outputs:
                self.done["id"] = str(self._template("id"))
            else:
                name = _get(self.given, "metadata.name") if self.kind.kubernetes else plain(self.given.get("name"))
                namespace = _get(self.given, "metadata.namespace")
                own = str(plain(name)) if name is not None else f"{resource}-{self.dice.text('hex', 7, 'id')}"
                self.done["id"] = f"{plain(namespace)}/{own}" if self.kind.kubernetes and namespace else own
        return str(self.done["id"])

    def output(self, path: str) -> Any:
        """The value of an output; what the program gave stands."""
        value = _get(self.given, path)
        return value if value is not None and path not in self.kind.computed else self.fresh(path)

    def fresh(self, path: str) -> Any:
        if path not in self.done:
            self.done[path] = None  # a template that names itself ends here
            self.done[path] = self._template(path) if path in self.kind.facts.outputs else self._invent(path)
        return self.done[path]

    def _template(self, path: str) -> Any:
        words = Words(lambda name: _corrected(self.kind.token, path, name, self._word(name)), self.dice)
        return self._typed(path, words.expand(self.kind.facts.outputs[path], path))

    def _word(self, name: str) -> Any:
        settings = self.kind.settings
        own_region = str(plain(self.given.get("region")) or settings.region)
        fixed = {"region": own_region, "account": settings.account, "zone": short_region(own_region)}
        if name in fixed:
            return fixed[name]
        value = plain(_get(self.given, name))
        if value is None or contains_unknown(value):
            value = self._missing(name)
        return value

    def _missing(self, name: str) -> Any:
        if name == "id":
            return self.identity("resource")
        if name in UNSET:
            return UNSET[name]
        return self.output(name) if name in self.kind.facts.outputs else self._invent(name)

    def _invent(self, name: str) -> Any:
        if name == "port":
            return default_port(plain(self.given.get("engine")))
        types = self.kind.types
        prefix = plain(self.given.get(f"{name}Prefix"))
        if isinstance(prefix, str):
            return prefix + self.dice.text("digits", 26, name)
        shape = types.outputs.get(name, ANY) if types else ANY
        return plausible(name, shape, self.kind.token, self.kind.settings, self.dice)

    def _typed(self, path: str, value: Any) -> Any:
        """Templates are texts; the number or the truth value that the type wants."""
        if not isinstance(value, str):
            return value
        kind = self.kind.types.outputs.get(path, ANY).kind if self.kind.types else "any"
        if value in ("true", "false") and kind in ("bool", "any"):
            return value == "true"
        if value.isdigit() and (kind in ("int", "float") or path.startswith("status.")):
            return int(value)
        return value


def _corrected(token: str, path: str, name: str, value: Any) -> Any:
    """Exceptions that the books state in a comment at the type."""
    if (token, path, name) == ("aws:ssm/parameter:Parameter", "arn", "name"):
        return value if str(value).startswith("/") else f"/{value}"
    if (token, path, name) == ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "arn", "url"):
        return str(value).removeprefix("https://")
    return value
