"""Firewalls opened: direction-aware, so that a narrowed or reordered list is no finding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tollgate.assess.firewalls import ADDRESS_LISTS, NETWORK_POLICY, Way, grants_of, is_firewall
from tollgate.assess.grants import ALL_PORTS, Grant, Grants, is_everyone, is_private, widened
from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Doubt, Fine, Hit, Seen, step_rule
from tollgate.books.guards import guard_book
from tollgate.books.match import matches
from tollgate.plan.canonical import fingerprint
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import CRITICAL, HIGH, MEDIUM, Severity

_IN, _OUT = (guard_book().rules[rule] for rule in ("exposure-opened", "egress-opened"))
_CHANGED = (Op.UPDATE, Op.REPLACE, Op.UNRECOGNISED)
_NEW = (Op.CREATE, Op.IMPORT)
_WEB_PORTS = (80, 443)  # what a public shop front serves: asked about, not stopped
_V4, _NETWORK = 4, 16  # [ours] a /16 is the network of a whole environment
_NOTHING = Grants(frozenset())


@step_rule(id="exposure-opened", severity=_IN.severity, why=_IN.why, fix=_IN.fix, concerns=is_firewall)
def firewall_opened(step: Step) -> Iterator[Seen]:
    """Addresses of the internet are let in that were not before. A new network policy only ever closes something."""
    if step.op in _CHANGED or (step.op in _NEW and step.type not in NETWORK_POLICY):
        yield from _opened(step, Way.IN)


@step_rule(
    id="egress-opened",
    severity=_OUT.severity,
    why=_OUT.why,
    fix=_OUT.fix,
    concerns=lambda type_token: is_firewall(type_token, Way.OUT),
)
def egress_opened(step: Step) -> Iterator[Seen]:
    """Addresses of the internet may be reached that could not before. What a new resource may reach, the pack says."""
    if step.op in _CHANGED:
        yield from _opened(step, Way.OUT)


def _opened(step: Step, way: Way) -> Iterator[Seen]:
    before = grants_of(step.type, step.old, way) or _NOTHING
    after = grants_of(step.type, step.new, way) or _NOTHING
    wider = widened(before, after)
    opened = [grant for grant in wider if not is_private(grant.network)]
    inside = [grant for grant in wider if way is Way.IN and _joins(grant)] if not opened else []
    if opened:
        worst = max(opened, key=lambda grant: (_severity(grant, way).rank, is_everyone(grant.network)))
        yield Hit(_sentence(step, worst, way), _evidence(opened), _severity(worst, way))
    elif inside:
        said = f"{capital(subject(step))} lets the whole network {inside[0].network} in on all ports."
        yield Hit(said, _evidence(inside), MEDIUM)
    elif step.op in _CHANGED and before != after and not (before.hidden or after.hidden):
        yield Fine(way.value, partial(_fine, step, way))
    if after.hidden and fingerprint(step.old) != fingerprint(step.new):
        verb = "lets in" if way is Way.IN else "may reach"
        yield Doubt("value", f"{capital(subject(step))}: not all addresses that it {verb} are known.")


def _joins(grant: Grant) -> bool:
    """All ports for a whole private network: nothing is kept apart any more."""
    private = is_private(grant.network) and grant.network.version == _V4
    return private and grant.ports == ALL_PORTS and grant.network.prefixlen <= _NETWORK


def _severity(grant: Grant, way: Way) -> Severity:
    if way is Way.OUT:
        return HIGH if is_everyone(grant.network) else MEDIUM
    if not is_everyone(grant.network):
        return HIGH
    web = grant.first == grant.last and grant.first in _WEB_PORTS and grant.protocol != "-1"
    return MEDIUM if web else CRITICAL


def _sentence(step: Step, grant: Grant, way: Way) -> str:
    if way is Way.OUT:
        whom = "every address of the internet" if is_everyone(grant.network) else f"the addresses {grant.network}"
        return f"{capital(subject(step))} may talk to {whom} on {grant.ports}."
    who = "everyone on the internet" if is_everyone(grant.network) else f"the internet addresses {grant.network}"
    if matches(step.type, ADDRESS_LISTS):
        return f"{capital(subject(step))} now holds {who}, and every firewall that uses it lets them in."
    return f"{capital(subject(step))} lets {who} in on {grant.ports}."


def _evidence(opened: list[Grant]) -> tuple[Evidence, ...]:
    return tuple(Evidence(path="", before="closed", after=f"{grant.network} {grant.ports}") for grant in opened[:10])


def _fine(step: Step, way: Way) -> tuple[str, tuple[Evidence, ...]]:
    what = "letting the internet in" if way is Way.IN else "a way out to the internet"
    because = "it lets in" if way is Way.IN else "it may reach"
    text = f"{capital(subject(step))}: we looked for {what}; it is fine, because {because} no address that it did not."
    return text, ()


RULES = (firewall_opened, egress_opened)
