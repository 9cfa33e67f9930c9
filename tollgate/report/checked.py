"""What was checked: by the pack, by checkov, what was looked for in vain, and what stands under an exception."""

from __future__ import annotations

from tollgate.assess.model import AcceptedRisk, Assessment, Scanned, Waived
from tollgate.report.appendix import MADE, RULES, SCOPE, Appendix
from tollgate.report.parts import Phrase, Statement, open_point, phrase, quote, say
from tollgate.report.text import clean, readable

DISPROVEN_SHOWN = 3  # that something was looked for in vain is told briefly


def checked(assessment: Assessment, appendix: Appendix) -> tuple[Statement, ...]:
    """All sentences of the section; its tables are drawn from the report."""
    return (*_pack(assessment), *_disproven(assessment, appendix), *_waived(assessment, appendix))


def _pack(assessment: Assessment) -> tuple[Statement, ...]:
    checks = assessment.checks
    if checks is None:
        return (open_point(phrase("checks_no_pack"), SCOPE), *_scan(assessment.scan))
    total = checks.passed + checks.failed + checks.waived + checks.not_evaluated
    said = [say(phrase("checks_made", n=total), MADE)]
    if checks.not_evaluated:
        said.append(say(phrase("checks_not_evaluated"), MADE))
    return (*said, *_scan(assessment.scan))


def _disproven(assessment: Assessment, appendix: Appendix) -> tuple[Statement, ...]:
    """How many dangers were looked for in vain, and the gravest of them in words."""
    found = assessment.disproven
    if not found:
        return ()
    counted = say(phrase("checks_disproven", n=sum(1 + each.alike for each in found)), RULES)
    told = (say(quote(readable(each.sentence)), appendix.of_urn(each.urn)) for each in found[:DISPROVEN_SHOWN])
    return (counted, *told)


def _scan(scan: Scanned | None) -> tuple[Statement, ...]:
    """Whether checkov looked, what came of it, and what of that is accepted."""
    if scan is None or not scan.ran:
        return (open_point(phrase("scan_not_run" if scan else "scan_left_out"), SCOPE),)
    ran = phrase(
        "scan_ran",
        n=scan.resources,
        version=clean(scan.version),
        passed=scan.checks.passed,
        failed=scan.checks.failed,
        waived=scan.checks.waived,
        unsettled=scan.checks.not_evaluated,
    )
    return (say(ran, MADE), *(say(_accepted(risk), MADE) for risk in scan.accepted))


def _accepted(risk: AcceptedRisk) -> Phrase:
    return phrase(
        "scan_accepted",
        n=risk.resources,
        rule=clean(risk.rule),
        says=readable(risk.says),
        approver=readable(risk.approver),
        until=risk.until.isoformat(),
        reason=readable(risk.reason),
        instead=readable(risk.instead),
    )


def waived_sentence(waived: Waived) -> Phrase:
    """A violation under an exception: what, whose, until when, why, and what is done instead."""
    return phrase(
        "checks_waived_one",
        found=readable(waived.sentence),
        rule=readable(waived.rule),
        owner=readable(waived.owner),
        approver=readable(waived.approver),
        until=waived.until.isoformat(),
        reason=readable(waived.reason),
        instead=readable(waived.instead),
    )


def _waived(assessment: Assessment, appendix: Appendix) -> tuple[Statement, ...]:
    return tuple(say(waived_sentence(waived), appendix.of_urn(waived.urn)) for waived in assessment.waived)
