"""Rules for Redis and Valkey that a stack runs itself, as far as their settings can be seen: in a ConfigMap."""

from collections.abc import Callable
from typing import Any

from tollgate.policy.check import HOLDS, Check
from tollgate.policy.reading import Reading, State
from tollgate.policy.severity import HIGH
from tollgate.policy.statement import rule

SETTINGS = "kubernetes:core/v1:ConfigMap"
FILES = ("valkey.conf", "redis.conf")
# A ConfigMap with neither file holds something else.
_OPTIONAL = {f'data["{file}"]': None for file in FILES} | {"data": None}


def _each_file(settings: Reading, test: Callable[[Any], bool], wanted: str) -> Check:
    """Each settings file there is passes."""
    found = HOLDS
    for file in FILES:
        text = settings["data"].key(file)
        if text.state is not State.MISSING:
            found &= text.satisfies(test, wanted)
    return found


def _directive(lines: object, directive: str) -> str | None:
    """What a file says last on a directive: that wins, and case does not count (valkey.conf)."""
    said = None
    for line in lines.splitlines() if isinstance(lines, str) else ():
        words = line.split()
        if len(words) > 1 and words[0].lower() == directive:
            said = words[1].strip("\"'").lower()
    return said


def _a_mere_cache(settings: Reading) -> Check:
    return settings["metadata.labels"].key("app.kubernetes.io/component").one_of("cache")


@rule(
    id="cache-setting-keep",
    why="A lock that is thrown out when memory runs short lets the same payment through twice.",
    severity=HIGH,
    controls=("Seed 5",),
    types=(SETTINGS,),
    fix="set maxmemory-policy noeviction in valkey.conf, or label a mere cache app.kubernetes.io/component: cache",
    good={"data": {"valkey.conf": "appendonly yes\nmaxmemory-policy noeviction\n"}},
    bad={"data": {"valkey.conf": "appendonly yes\nmaxmemory-policy allkeys-lru\n"}},
    also_good={
        "in Redis, in capitals and quotes": {"data": {"redis.conf": '  MAXMEMORY-POLICY "NoEviction"'}},
        "something else": {"data": {"nginx.conf": "worker_processes 1;"}},
        "no text at all": {},
        "a mere cache": {
            "data": {"valkey.conf": "maxmemory-policy allkeys-lru\n"},
            "metadata": {"labels": {"app.kubernetes.io/component": "cache"}},
        },
    },
    also_bad={
        "not said": {"data": {"valkey.conf": "appendonly yes\n"}},
        "said and taken back": {
            "data": {"valkey.conf": "maxmemory-policy noeviction\nmaxmemory-policy volatile-lru\n"}
        },
        "in a remark": {"data": {"valkey.conf": "# maxmemory-policy noeviction\n"}},
        "in one of two files": {
            "data": {"valkey.conf": "appendonly yes\nmaxmemory-policy noeviction\n", "redis.conf": "appendonly yes\n"}
        },
        "half a line": {"data": {"redis.conf": "maxmemory-policy\n"}},
    },
    defaults=_OPTIONAL,
)
def setting_keeps(settings: Reading) -> Check:
    return _each_file(
        settings, lambda lines: _directive(lines, "maxmemory-policy") == "noeviction", "maxmemory-policy noeviction"
    ).unless(_a_mere_cache(settings))


@rule(
    id="cache-setting-persist",
    why="A store that remembers nothing after a restart forgets which payments are under way.",
    severity=HIGH,
    controls=("Seed 5", "Seed 8"),
    types=(SETTINGS,),
    fix="set appendonly yes in valkey.conf, or label a mere cache app.kubernetes.io/component: cache",
    good={"data": {"valkey.conf": "appendonly yes\n"}},
    bad={"data": {"valkey.conf": "appendonly no\n"}},
    also_good={
        "a mere cache": {
            "data": {"valkey.conf": "appendonly no\n"},
            "metadata": {"labels": {"app.kubernetes.io/component": "cache"}},
        }
    },
    defaults=_OPTIONAL,
)
def setting_persists(settings: Reading) -> Check:
    return _each_file(settings, lambda lines: _directive(lines, "appendonly") == "yes", "appendonly yes").unless(
        _a_mere_cache(settings)
    )


@rule(
    id="cache-setting-bound",
    why="A store without a limit grows until the machine kills it, in the middle of a payment.",
    severity=HIGH,
    controls=("Seed 16",),
    types=(SETTINGS,),
    fix="set maxmemory in valkey.conf to 60 to 75 percent of the container's limit",
    good={"data": {"valkey.conf": "maxmemory 716mb\n"}},
    bad={"data": {"valkey.conf": "maxmemory 0\n"}},
    also_bad={"not said": {"data": {"valkey.conf": "maxmemory-policy noeviction\n"}}},
    defaults=_OPTIONAL,
)
def setting_bound(settings: Reading) -> Check:
    return _each_file(settings, lambda lines: _directive(lines, "maxmemory") not in (None, "0"), "maxmemory, not 0")
