"""The results as JUnit XML, for the test page of a build server: one suite a stack, one case a rule and resource."""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from tollgate.policy.results import Answer, Result
from tollgate.report.rules.model import PolicyReport, StackResults
from tollgate.report.text import urn_name

# What XML 1.0 cannot hold at all.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(report: PolicyReport) -> str:
    """The document. Not evaluated is an error, since it is no pass; waived and not applicable are skipped."""
    root = Xml.Element("testsuites", name=f"{report.project} policies")
    for stack in report.stacks:
        root.append(_suite(stack))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _suite(stack: StackResults) -> Xml.Element:
    counts = stack.counts
    suite = Xml.Element(
        "testsuite",
        name=stack.stack,
        tests=str(len(stack.results)),
        failures=str(counts[Answer.FAILED]),
        errors=str(counts[Answer.NOT_EVALUATED]),
        skipped=str(counts[Answer.WAIVED] + counts[Answer.NOT_APPLICABLE]),
    )
    for result in stack.results:
        suite.append(_case(result, stack.stack))
    return suite


def _case(result: Result, stack: str) -> Xml.Element:
    case = Xml.Element("testcase", classname=result.rule, name=_clean(urn_name(result.urn) if result.urn else stack))
    message = _clean(result.message)
    if result.answer is Answer.FAILED:
        level = "mandatory" if result.mandatory else "advisory"
        _add(case, "failure", f"{level}: {message}", result.severity.value)
    elif result.answer is Answer.NOT_EVALUATED:
        _add(case, "error", message, "not evaluated")
    elif result.answer is Answer.WAIVED:
        _add(case, "skipped", message)
    elif result.answer is Answer.NOT_APPLICABLE:
        _add(case, "skipped", "the stack has nothing that this rule reads")
    if result.urn:
        Xml.SubElement(case, "system-out").text = _clean(result.urn)
    return case


def _add(case: Xml.Element, tag: str, message: str, kind: str = "") -> None:
    named = {"type": kind} if kind else {}
    Xml.SubElement(case, tag, {"message": message.partition("\n")[0], **named}).text = message


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
