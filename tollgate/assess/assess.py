"""From a plan to its meaning. Pure: the same plan gives the same assessment, in whatever order its steps come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tollgate.assess.backups import unproven
from tollgate.assess.model import (
    SCHEMA_VERSION,
    Assessment,
    ChangedResource,
    Counts,
    Disproven,
    FactRow,
    Finding,
    Impact,
    Origin,
    Unknown,
)
from tollgate.assess.policy import policy_checks, policy_findings, policy_unknowns, policy_waived
from tollgate.assess.rule import Doubt, Fine, Hit, PlanRule, StepRule, Whole
from tollgate.assess.rules import PLAN_RULES, STEP_RULES
from tollgate.assess.rules.data import replace_reasons
from tollgate.assess.scan import Seen, with_scan
from tollgate.assess.trust import plan_unknowns, stand_in_unknowns, unknown_findings
from tollgate.assess.weigh import NOTHING_KNOWN, Known, weigh
from tollgate.plan.collector import collector_paused
from tollgate.plan.facts import Fact, fact_id, facts, facts_digest
from tollgate.plan.graph import graph_of
from tollgate.plan.model import Op, Plan, Step
from tollgate.plan.state import State
from tollgate.plan.whole import with_state
from tollgate.policy.severity import Severity
from tollgate.scan.model import NotRun, Scan
from tollgate.scan.register import Register

_ROOT = "pulumi:pulumi:Stack"
_NEW = (Op.CREATE, Op.READ)
_RULE_IDS = (*(rule.id for rule in STEP_RULES), *(rule.id for rule in PLAN_RULES))
_RULE_ORDER = {rule: place for place, rule in enumerate(_RULE_IDS)}
_WORST_FIRST = {severity: -severity.rank for severity in Severity}
NO_REGISTER = Register()
_NO_STATE = (
    "The state before the change was not given: what hangs on what, what earlier changes left over, and the settings "
    "of default connections were not looked at."
)
_MOST_PROPERTIES = 50  # in a row of the appendix


def assess(
    plan: Plan,
    *,
    state: State | None = None,
    earlier: Iterable[Fact] = (),
    unlisted_types: frozenset[str] = frozenset(),
    undecided: Iterable[tuple[str, str]] = (),
    unreadable_secrets: Iterable[str] = (),
    scan: Scan | NotRun | None = None,
    register: Register = NO_REGISTER,
    known: Known = NOTHING_KNOWN,
) -> Assessment:
    """What a plan means.

    state: the stack before the change, for its guards, its pending operations and who hangs on whom.
    earlier: facts of recorded changes before this one; a guard that one of them took off still counts.
    unlisted_types: types of which a stand-in provider does not know what replaces them.
    undecided: (URN, path) pairs whose replacement only the real cloud decides.
    unreadable_secrets: URNs whose old secret a rehearsal could not read.
    scan: what checkov made of the footprint after the change; None when it was left out.
    register: what the project accepts of that, judged on the day in ``known``; without a day nothing is accepted.
    known: what the project keeps in its registers, and what else the caller knows.
    """
    with collector_paused():
        plan = with_state(plan, state) if state else plan
        whole = Whole(plan, state, graph_of(plan, state), frozenset(earlier))
        seen = [outcome for step in plan.steps for outcome in _look_at(step)]
        stand_in = stand_in_unknowns(plan, unlisted_types, undecided, unreadable_secrets)
        findings = [
            *(finding for finding in seen if isinstance(finding, Finding)),
            *(_finding(rule, hit, hit.urn) for rule in PLAN_RULES for hit in rule.look(whole)),
            *policy_findings(plan.policy),
            *_backup_findings(plan, known),
        ]
        scanned = with_scan(findings, scan, register, known.today, {step.urn for step in plan.steps})
        unknowns = _unique(
            [*_unknowns(seen), *plan_unknowns(whole), *stand_in, *policy_unknowns(plan.policy), *scanned.unknowns]
        )
        told = {(finding.urn, finding.sentence) for finding in scanned.findings}
        found = _sorted([*scanned.findings, *unknown_findings(_of_plan(unknowns, told), _existing(plan))])
        impact = weigh(whole, found, unknowns, known)
        notes = () if state else (_NO_STATE,)
        return _assessment(plan, scanned, found, unknowns, _disproven(seen), impact, notes)


_Outcome = Finding | Unknown | tuple[StepRule, Fine, str]


def _backup_findings(plan: Plan, known: Known) -> Iterator[Finding]:
    """Destructive steps without a backup that was ever restored, where the project keeps a register of backups."""
    if known.registers.backups is not None:
        yield from unproven(plan.steps, known.registers.backups, known.today)


def _assessment(
    plan: Plan,
    scanned: Seen,
    findings: tuple[Finding, ...],
    unknowns: tuple[Unknown, ...],
    disproven: tuple[Disproven, ...],
    impact: Impact,
    notes: tuple[str, ...],
) -> Assessment:
    """All parts together, in an order that does not depend on the plan's."""
    found = facts(plan)
    return Assessment.model_construct(
        schema_version=SCHEMA_VERSION,
        project=plan.project,
        stack=plan.stack,
        facts_digest=facts_digest(found),
        facts=tuple(FactRow(id=fact_id(fact), **fact._asdict()) for fact in sorted(found)),
        counts=_counts(plan),
        findings=findings,
        unknowns=unknowns,
        disproven=disproven,
        checks=policy_checks(plan.policy),
        waived=policy_waived(plan.policy),
        scan=scanned.summary,
        impact=impact,
        resources=tuple(sorted((_row(step) for step in plan.steps), key=_row_order)),
        notes=tuple(sorted({*plan.notes, *scanned.notes, *notes})),
    )


def _disproven(seen: Iterable[_Outcome]) -> tuple[Disproven, ...]:
    """One disproof for each rule, that of the first resource by name, and how many more there are."""
    first: dict[str, tuple[str, str, StepRule, Fine]] = {}
    times: Counter[str] = Counter()
    for outcome in seen:
        if isinstance(outcome, tuple):
            rule, fine, urn = outcome
            times[rule.id] += 1
            known = first.get(rule.id)
            if known is None or (urn, fine.path) < known[:2]:
                first[rule.id] = (urn, fine.path, rule, fine)
    found = []
    for urn, _, rule, fine in sorted(first.values(), key=lambda one: (_WORST_FIRST[one[2].severity], one[2].id)):
        sentence, evidence = fine.say()
        found.append(Disproven(rule=rule.id, urn=urn, sentence=sentence, evidence=evidence, alike=times[rule.id] - 1))
    return tuple(found)


def _unknowns(seen: Iterable[_Outcome]) -> Iterator[Unknown]:
    return (outcome for outcome in seen if isinstance(outcome, Unknown))


@lru_cache(maxsize=4096)
def _rules_for(type_token: str) -> tuple[StepRule, ...]:
    return tuple(rule for rule in STEP_RULES if rule.concerns(type_token))


def _look_at(step: Step) -> Iterator[_Outcome]:
    """What all rules say of one step."""
    if step.type == _ROOT:
        return
    for rule in _rules_for(step.type):
        for outcome in rule.look(step):
            if isinstance(outcome, Hit):
                yield _finding(rule, outcome, step.urn)
            elif isinstance(outcome, Doubt):
                yield Unknown(what=outcome.what, urn=step.urn, sentence=outcome.sentence)
            else:
                yield rule, outcome, step.urn


def _finding(rule: StepRule | PlanRule, hit: Hit, urn: str) -> Finding:
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        urn=urn,
        sentence=hit.sentence,
        origin=rule.origin if isinstance(rule, PlanRule) else Origin.OPERATION,
        why=rule.why,
        fix=rule.fix,
        evidence=hit.evidence,
        mandatory=False,
    )


def _of_plan(unknowns: Iterable[Unknown], told: set[tuple[str, str]]) -> list[Unknown]:
    """Unknowns that have no finding yet: those of the pack and of unknown types have one of their own."""
    return [
        unknown
        for unknown in unknowns
        if unknown.what not in ("policy", "type", "op") and (unknown.urn, unknown.sentence) not in told
    ]


def _existing(plan: Plan) -> frozenset[str]:
    """Resources that exist and are changed or deleted."""
    return frozenset(step.urn for step in plan.steps if step.op not in _NEW)


def _unique(unknowns: Iterable[Unknown]) -> tuple[Unknown, ...]:
    return tuple(sorted(set(unknowns), key=lambda unknown: (unknown.urn, unknown.what, unknown.sentence)))


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first; of the same severity by the rules' own order, then by URN. What was said twice is said once."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda finding: (
                _WORST_FIRST[finding.severity],
                _RULE_ORDER.get(finding.rule, len(_RULE_ORDER)),
                finding.rule,
                finding.urn,
                finding.sentence,
            ),
        )
    )


def _counts(plan: Plan) -> Counts:
    by_op = Counter(step.op for step in plan.steps)
    named = {op: by_op[op] for op in (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.DELETE, Op.SAME)}
    return Counts(
        create=named[Op.CREATE],
        update=named[Op.UPDATE],
        replace=named[Op.REPLACE],
        delete=named[Op.DELETE],
        guards=named[Op.SAME],
        same=plan.same,
        other=len(plan.steps) - sum(named.values()),
    )


def _row(step: Step) -> ChangedResource:
    properties = [change.path for change in step.changes] if step.changes else list(step.diff_keys)
    return ChangedResource(
        urn=step.urn,
        type=step.type,
        name=step.name,
        op=step.raw_op if step.op is Op.UNRECOGNISED else step.op.value,
        properties=tuple(properties[:_MOST_PROPERTIES]),
        replaced_because=replace_reasons(step),
    )


def _row_order(row: ChangedResource) -> tuple[str, ...]:
    return (row.urn, row.op, *row.properties)
