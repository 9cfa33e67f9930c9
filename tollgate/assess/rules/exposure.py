"""Firewalls opened: direction-aware, so that a narrowed or reordered list is no finding."""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.assess.grants import Grant, Grants, grants_of, is_everyone, is_firewall, is_private, widened
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Hit, step_rule
from tollgate.books.guards import guard_book
from tollgate.plan.canonical import fingerprint
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM, Severity

_SHARED = guard_book().rules["exposure-opened"]
_OPS = (Op.CREATE, Op.IMPORT, Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)
_WEB_PORTS = (80, 443)  # what a public shop front serves: asked about, not stopped


@step_rule(id="exposure-opened", severity=_SHARED.severity, why=_SHARED.why, fix=_SHARED.fix, concerns=is_firewall)
def firewall_opened(step: Step) -> Iterator[Hit | Doubt]:
    """Addresses of the internet are let in that were not before."""
    after = grants_of(step.type, step.new) if step.op in _OPS else None
    if after is None:
        return
    before = grants_of(step.type, step.old) or Grants(frozenset())
    opened = [grant for grant in widened(before, after) if not is_private(grant.network)]
    if opened:
        worst = max(opened, key=lambda grant: (_severity(grant).rank, is_everyone(grant.network)))
        yield Hit(_sentence(step, worst), _evidence(opened), _severity(worst))
    if after.hidden and _differs(step):
        yield Doubt("value", f"{capital(subject(step))}: not all addresses that it lets in are known.")


def _severity(grant: Grant) -> Severity:
    if not is_everyone(grant.network):
        return HIGH
    web = grant.first == grant.last and grant.first in _WEB_PORTS and grant.protocol != "-1"
    return MEDIUM if web else CRITICAL


def _sentence(step: Step, grant: Grant) -> str:
    who = "everyone on the internet" if is_everyone(grant.network) else f"the internet addresses {grant.network}"
    return f"{capital(subject(step))} lets {who} in on {grant.ports}."


def _evidence(opened: list[Grant]) -> tuple[Evidence, ...]:
    return tuple(Evidence(path="", before="closed", after=f"{grant.network} {grant.ports}") for grant in opened[:10])


def _differs(step: Step) -> bool:
    return fingerprint(step.old) != fingerprint(step.new)


RULES = (firewall_opened,)
