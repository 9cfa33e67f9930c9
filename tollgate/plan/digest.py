"""Reads the digest that ``pulumi preview --json`` prints (pkg/display/json.go, measured with v3.257.0)."""

from __future__ import annotations

from typing import Any

from tollgate.errors import Problem, TollgateError
from tollgate.plan.counts import missing_refusals, missing_steps, read_counts
from tollgate.plan.fold import fold
from tollgate.plan.lookalikes import what_is_it
from tollgate.plan.model import Diagnostic, Plan, Source, Step
from tollgate.plan.steps import DIGEST_SPELLING, RawStep, ShapeError, read_step
from tollgate.plan.text import ADVICE, decode, parse_json, plain
from tollgate.plan.urn import split_urn

MOST_PROBLEMS = 20  # a person reads no more at once
DIGEST_NOTE = (
    "A preview digest leaves out what the policy pack said, and that a resource loses retainOnDelete; "
    "the event stream carries both."
)


def read_digest(text: str | bytes) -> Plan:
    """The Plan that a preview digest describes.

    Raises TollgateError when the text is cut off, is no JSON, or is something else than a preview digest.
    """
    decoded = decode(text)
    if not decoded.strip():
        raise TollgateError("The plan is empty: there is nothing to assess.", advice=ADVICE)
    return plan_of_digest(parse_json(decoded, "preview"))


def plan_of_digest(document: Any) -> Plan:
    """The same for a digest that is already parsed."""
    _must_be_digest(document)
    problems: list[Problem] = []
    raws = _raw_steps(document.get("steps") or [], problems)
    counts, bad_counts = read_counts(document.get("changeSummary") or {}, "changeSummary")
    diagnostics = _diagnostics(document.get("diagnostics") or [], problems)
    config = read_config(document.get("config"), "config", problems)
    corrupt = document.get("maybeCorrupt", False)
    if not isinstance(corrupt, bool):
        problems.append(Problem("maybeCorrupt", "expected true or false"))
    refuse(problems + bad_counts)
    steps, sames = fold(raws)
    lost = missing_steps(raws, counts) + missing_refusals(raws, diagnostics)
    stack, project = stack_of(raws)
    return Plan.model_construct(
        source=Source.DIGEST,
        project=project,
        stack=stack,
        steps=steps,
        same=plain_sames(counts, steps, sames),
        policy=None,
        diagnostics=diagnostics,
        maybe_corrupt=corrupt,
        config=config,
        losses=lost,
        notes=(DIGEST_NOTE,),
    )


def _must_be_digest(document: Any) -> None:
    """A digest ends with its duration and summary; without them the preview was stopped, or this is something else."""
    looks_like = what_is_it(document)
    if looks_like:
        raise TollgateError(f"This is not a Pulumi preview: {looks_like}.", advice=ADVICE)
    if "duration" not in document and not document.get("changeSummary"):
        message = "The preview was stopped before its end: it has no duration and no summary of its changes."
        raise TollgateError(message, advice="let `pulumi preview --json` run to its end")
    if not any(document.get(key) for key in ("steps", "changeSummary", "diagnostics")):
        message = "The preview says nothing: no steps, no summary and no messages."
        raise TollgateError(message, advice=ADVICE)


def _raw_steps(steps: Any, problems: list[Problem]) -> list[RawStep]:
    if not isinstance(steps, list):
        problems.append(Problem("steps", "expected a list"))
        return []
    raws = []
    for number, step in enumerate(steps):
        try:
            raws.append(read_step(step, DIGEST_SPELLING, f"steps[{number}]"))
        except ShapeError as error:
            problems += error.problems
    return raws


def _diagnostics(entries: Any, problems: list[Problem]) -> tuple[Diagnostic, ...]:
    if not isinstance(entries, list):
        problems.append(Problem("diagnostics", "expected a list"))
        return ()
    read = (diagnostic_of(entry, f"diagnostics[{n}]", problems) for n, entry in enumerate(entries))
    return tuple(diagnostic for diagnostic in read if diagnostic)


def diagnostic_of(entry: Any, where: str, problems: list[Problem]) -> Diagnostic | None:
    """One message of the engine as plain text; None for a debug message, which nobody is meant to read."""
    fields = entry if isinstance(entry, dict) else {"message": entry}
    texts = [text for key in ("severity", "prefix", "message", "urn") if isinstance(text := fields.get(key) or "", str)]
    if len(texts) != 4:
        problems.append(Problem(where, "expected a message with severity, message and urn as texts"))
        return None
    severity, prefix, message, urn = texts
    if severity == "debug":
        return None
    return Diagnostic(severity=severity or "error", message=plain(prefix + message), urn=urn)


def read_config(config: Any, where: str, problems: list[Problem]) -> dict[str, str]:
    """The stack's settings, name → text."""
    if config is None:
        return {}
    if not isinstance(config, dict) or not all(isinstance(value, str) for value in config.values()):
        problems.append(Problem(where, "expected the stack's settings as texts"))
        return {}
    return config


def refuse(problems: list[Problem]) -> None:
    """Raise one TollgateError for all problems, if there are any."""
    if not problems:
        return
    shown = problems[:MOST_PROBLEMS]
    if len(problems) > MOST_PROBLEMS:
        shown.append(Problem("", f"and {len(problems) - MOST_PROBLEMS} more"))
    raise TollgateError("The preview is not shaped as Pulumi writes it.", shown, advice=ADVICE)


def plain_sames(counts: dict[str, int], steps: tuple[Step, ...], seen: int) -> int:
    """Resources that stay as they are: the engine's count where it gives one, less the sames that carry a change."""
    counted = counts.get("same", 0) - sum(step.raw_op == "same" for step in steps)
    return max(counted, 0) if "same" in counts else seen


def stack_of(raws: list[RawStep]) -> tuple[str, str]:
    """Stack and project, from the first URN."""
    parts = split_urn(raws[0].urn) if raws else None
    return (plain(parts.stack), plain(parts.project)) if parts else ("", "")
