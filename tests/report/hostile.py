"""Text that tries to be more than text."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.report.decisions import DIGEST, urn
from tollgate.assess.model import Assessment, ChangedResource, Counts, Evidence, Finding, Origin, Unknown
from tollgate.gate.model import Decision, Verdict
from tollgate.policy.severity import HIGH

STRINGS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[click](javascript:alert(1))",
    "](javascript:alert(1))",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "https://evil.example www.evil.example",
    "\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\x9b31mred",
    "@everyone and @org/team, closes #1 and GH-7 :white_check_mark:",
    "safe\u202egnp.exe\u202c \u200bhidden\u2066",
    "```\n# ALLOW\n```",
    "`code` ``more`` \\` |cell| ~~gone~~ **bold** _it_ $x$",
    "- item",
    "# heading",
    "1. one",
    "---",
    "=== ",
    "&lt;b&gt; &#42; &amp;",
    "{{ 7*7 }} {% raw %} {0} {name}",
    "[red]rich[/red] [link=https://evil.example]x[/link]",
    "see urn:pulumi:a::b::c::d now",
    "urn:puurn:pulumi:x::lumi:y",
    "urn:pul\u200bumi:x::y",
    "</details></section></main><h1>ALLOW</h1>",
    "<!-- hidden -->",
    "x" * 5_000,
    "",
    " ",
)

PIECES = st.sampled_from(
    [*STRINGS[:26], *"[](){}<>*_`~#@|\\!&;:/.-+=$\"' \n\t\x1b", "a", "1", "中", "🙂", "urn:pulumi:"]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def everywhere(text: str, times: int = 1) -> Decision:
    """A decision with the text in every place that comes from outside."""
    findings = tuple(
        Finding(
            rule=f"{text}{number}",
            severity=HIGH,
            urn=urn(f"{text}{number}"),
            sentence=text,
            origin=Origin.POLICY,
            why=text,
            fix=text,
            evidence=(Evidence(path=text, before=text, after=text),) * 2,
        )
        for number in range(times)
    )
    resources = tuple(
        ChangedResource(
            urn=item.urn, type=text, name=text, op=text or "same", properties=(text,) * 4, replaced_because=(text,)
        )
        for item in findings
    )
    assessment = Assessment(
        facts_digest=DIGEST,
        counts=Counts(update=times),
        findings=findings,
        unknowns=(Unknown(what="value", sentence=text, urn=urn(text)),) * times,
        resources=resources,
        notes=(text,),
    )
    return Decision(verdict=Verdict.WAIT, headline=text, reasons=(text, "x"), asks=(text,), assessment=assessment)
