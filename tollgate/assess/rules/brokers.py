"""Settings of a Kafka cluster, which stand in one text: fewer copies must confirm, or a stale copy may lead."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tollgate.assess.amounts import amount
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, Seen, step_rule
from tollgate.books.guards import Unit, guard_book
from tollgate.plan.model import Op, Step
from tollgate.plan.text import plain
from tollgate.policy.sentinels import is_secret, is_unknown

_CONFIGURATION = "aws:msk/configuration:Configuration"
_SHARED = guard_book().rules["durability-weakened"]
# Settings of the brokers and their defaults (https://kafka.apache.org/documentation/#brokerconfigs).
_LOWER = {
    "min.insync.replicas": ("copies that must confirm a message", None),
    "default.replication.factor": ("copies of a topic", None),
    "offsets.topic.replication.factor": ("copies of what consumers have read", None),
    "transaction.state.log.min.isr": ("copies that must confirm a transaction", None),
    "log.retention.hours": ("hours before messages are deleted", "168"),
    "log.retention.ms": ("milliseconds before messages are deleted", None),
    "log.retention.minutes": ("minutes before messages are deleted", None),
}
_STALE = "unclean.leader.election.enable"


@step_rule(
    id="durability-weakened",
    severity=_SHARED.severity,
    why=_SHARED.why,
    fix=_SHARED.fix,
    concerns=lambda type_token: type_token == _CONFIGURATION,
)
def kafka_forgets(step: Step) -> Iterator[Seen]:
    """A setting by which a confirmed message is safe is loosened."""
    if step.op not in (Op.UPDATE, Op.REPLACE) or step.old is None or step.new is None:
        return
    before, after = (side.get("serverProperties") for side in (step.old, step.new))
    if before == after:
        return
    if any(is_secret(text) or is_unknown(text) for text in (before, after)):
        yield Doubt("value", f"{capital(subject(step))}: its settings cannot be read, so what it keeps safe is open.")
        return
    old, new = _read(before), _read(after)
    who = capital(subject(step))
    for key, (words, default) in _LOWER.items():
        one, other = (amount(side.get(key, default), Unit.NUMBER) for side in (old, new))
        if one is not None and other is not None and other < one:
            evidence = Evidence(path=f"serverProperties {key}", before=plain(str(one)), after=plain(str(other)))
            yield Hit(f"{who} goes from {one} to {other} {words}.", (evidence,))
    if new.get(_STALE) == "true" != old.get(_STALE):
        yield Hit(
            f"{who} may let a copy lead that does not have the last messages.",
            (Evidence(path=f"serverProperties {_STALE}", before=old.get(_STALE, "false"), after="true"),),
        )


def _read(text: Any) -> dict[str, str]:
    pairs = (line.partition("=") for line in str(text or "").splitlines() if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip().lower() for key, _, value in pairs if key.strip()}


RULES = (kafka_forgets,)
