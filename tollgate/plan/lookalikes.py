"""Tells what a JSON document is when it is no preview digest, so that the refusal can say it."""

from __future__ import annotations

from typing import Any

_DIGEST_KEYS = frozenset({"config", "steps", "diagnostics", "duration", "changeSummary", "maybeCorrupt"})
# Documents that people hand over by mistake, known by keys that only they have.
_OTHERS = (
    (frozenset({"format_version", "resource_changes"}), "it looks like a Terraform plan"),
    (frozenset({"terraform_version"}), "it looks like a Terraform plan or state"),
    (frozenset({"version", "deployment"}), "it looks like a Pulumi state; give it as --state, beside a plan"),
    (
        frozenset({"result", "summary", "resources"}),
        "it looks like `--output json`, which leaves out all values",
    ),
    (
        frozenset({"resourcePlans"}),
        "it looks like a saved update plan (`--save-plan`), which has no old values",
    ),
    (frozenset({"Resources", "AWSTemplateFormatVersion"}), "it looks like a CloudFormation template"),
    (frozenset({"apiVersion", "kind"}), "it looks like a Kubernetes object"),
    (frozenset({"runs", "$schema"}), "it looks like a SARIF report"),
    (frozenset({"schema_version", "verdict"}), "it looks like the output of `tollgate assess` itself"),
)


def what_is_it(document: Any) -> str:
    """What a document seems to be, in words; empty when it has the outline of a digest."""
    if not isinstance(document, dict):
        word = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(document))
        return f"it is {word or 'a number'}, not an object"
    if not document:
        return "it is an empty object"
    for keys, words in _OTHERS:
        if keys <= document.keys():
            return words
    strange = sorted(str(key)[:40] for key in document.keys() - _DIGEST_KEYS)
    if len(strange) == len(document):
        return f"none of its keys is one of a preview's (found {', '.join(strange[:5])})"
    return ""
