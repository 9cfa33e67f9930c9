"""The one Pulumi program of the benchmark: it declares what stands in ``resources.json`` beside it.

Run by the engine, not imported. ``"${name.output}"`` is an output of another resource, with further words what stands
below it; ``{"secret": text}`` is a secret.
"""

import functools
import json
import re
from pathlib import Path
from typing import Any

import pulumi
from pulumi import Alias, ComponentResource, CustomResource, Output, ProviderResource, ResourceOptions

DECLARED = json.loads(Path("resources.json").read_text())
REFERENCE = re.compile(r"\$\{([^.}]+)\.([^}]+)\}")
made = {}


def value(given):
    if isinstance(given, str) and (found := REFERENCE.fullmatch(given)):
        top, *below = found[2].split(".")
        return getattr(made[found[1]], top).apply(
            lambda output: functools.reduce(lambda at, key: at[key], below, output)
        )
    if isinstance(given, dict):
        return (
            Output.secret(given["secret"])
            if given.keys() == {"secret"}
            else {key: value(item) for key, item in given.items()}
        )
    return [value(item) for item in given] if isinstance(given, list) else given


def options(given):
    several = {
        name: [made[each] for each in given.get(key, [])]
        for name, key in (("depends_on", "dependsOn"), ("replace_with", "replaceWith"))
    }
    single = {
        name: made[given[key]]
        for name, key in (("parent", "parent"), ("provider", "provider"), ("deleted_with", "deletedWith"))
        if key in given
    }
    aliases = [
        Alias(parent=pulumi.ROOT_STACK_RESOURCE) if "noParent" in each else Alias(name=each["name"])
        for each in given.get("aliases", [])
    ]
    return ResourceOptions(
        **single,
        **{name: found for name, found in several.items() if found},
        aliases=aliases or None,
        protect=given.get("protect"),
        retain_on_delete=given.get("retainOnDelete"),
        delete_before_replace=given.get("deleteBeforeReplace"),
        replace_on_changes=given.get("replaceOnChanges"),
        import_=given.get("import"),
        version=given.get("version"),
    )


def outputs_used(name):
    """Outputs of a resource that others refer to: the SDK gives only those that a class declares."""
    found = REFERENCE.findall(json.dumps(DECLARED))
    return sorted({output.partition(".")[0] for owner, output in found if owner == name})


def declare(name, resource):
    kind, inputs, opts = resource["type"], value(resource.get("inputs", {})), options(resource.get("options", {}))
    if resource.get("component"):
        return ComponentResource(kind, name, {}, opts)
    if kind.startswith("pulumi:providers:"):
        return ProviderResource(kind.rpartition(":")[2], name, inputs, opts)
    outputs = outputs_used(name)
    of_kind = type("Declared", (CustomResource,), {"__annotations__": dict.fromkeys(outputs, Output[Any])})
    return of_kind(kind, name, {**dict.fromkeys(outputs), **inputs}, opts)


def order():
    """Names so that what a resource refers to comes first."""
    after = ("dependsOn", "replaceWith")
    waiting = dict(DECLARED)
    while waiting:
        for name, resource in list(waiting.items()):
            given = resource.get("options", {})
            needs = {owner for owner, _ in REFERENCE.findall(json.dumps(resource))}
            needs |= {each for key in after for each in given.get(key, [])}
            needs |= {given[key] for key in ("parent", "provider", "deletedWith") if key in given}
            if not needs & waiting.keys():
                yield name, waiting.pop(name)


for each, what in order():
    made[each] = declare(each, what)
