"""Changes one place of an example: the cases of the rule tests are made from the rules' own statements."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tollgate.policy.paths import Path
from tollgate.policy.sentinels import is_secret

LEFT_OUT = object()


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every place of an example, from the outside in, without the root. A secret is one place."""
    if is_secret(value):
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def at(example: Any, path: Path) -> Any:
    for segment in path:
        example = example[segment]
    return example


def leaves(example: Any) -> list[Path]:
    return [path for path in places(example) if is_leaf(at(example, path))]


def is_leaf(value: Any) -> bool:
    return is_secret(value) or not isinstance(value, Mapping | list)


def put(example: Any, path: Path, value: Any) -> Any:
    """A copy of the example with one place changed, or left out."""
    changed = copy.deepcopy(example)
    holder = at(changed, path[:-1])
    if value is LEFT_OUT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return changed


def safe_inputs(rules: Iterable[Any], token: str) -> dict[str, Any]:
    """Inputs of a type that keep every rule about it: their good examples, put together."""
    made: dict[str, Any] = {}
    for rule in rules:
        if token in rule.types:
            made = _merged(made, rule.good)
    return made


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return {key: _merged(base.get(key), over[key]) if key in over else base[key] for key in {**base, **over}}
    return over


def differences(one: Any, other: Any, path: Path = ()) -> list[Path]:
    """The places in which two examples differ; lists of different lengths differ as a whole."""
    if is_secret(one) or is_secret(other):
        return [] if one == other else [path]
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = dict.fromkeys([*one, *other])
        return [found for key in keys for found in differences(one.get(key), other.get(key), (*path, key))]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for index, (a, b) in pairs for found in differences(a, b, (*path, index))]
    return [] if one == other and type(one) is type(other) else [path]
