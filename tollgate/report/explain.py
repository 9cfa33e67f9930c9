"""Explains one fact of an assessment: all that was made of it, each with where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from tollgate.assess.model import FactRow, Finding, Impact
from tollgate.assess.naming import capital, subject_of_urn
from tollgate.books.lines import SourceLine
from tollgate.errors import Problem, TollgateError
from tollgate.report.amounts import lasts_in_words, money_in_words
from tollgate.report.assessment import Review
from tollgate.report.parts import Phrase, phrase, quote
from tollgate.report.people import called
from tollgate.report.phrases import Words, load_words
from tollgate.report.text import clean, readable

_MOST_SHOWN = 20  # facts to choose from in an error


def read_review(file: Path) -> Review:
    """An assessment.json. Raises TollgateError when it cannot be read or is something else."""
    try:
        return Review.model_validate_json(file.read_bytes())
    except OSError as error:
        advice = "run tollgate rehearse first, or name the file with --of"
        raise TollgateError(f"{file} cannot be read: {error.strerror}.", advice=advice) from error
    except ValidationError as error:
        advice = "give the assessment.json of this version of tollgate"
        raise TollgateError(
            f"{file} is no assessment.", [Problem(str(file), str(error.errors()[0]["msg"]))], advice=advice
        ) from error


def explain(review: Review, asked: str, words: Words | None = None) -> str:
    """Everything about one fact. ``asked``: its id, or the beginning of it, or the name of a resource with one fact.

    Raises TollgateError when there is no such fact, or more than one.
    """
    words = words or load_words()
    fact = _find(review, asked)
    return "\n".join(f"{words.say(said)}" for said in _lines(review, fact))


def _find(review: Review, asked: str) -> FactRow:
    found = [fact for fact in review.facts if fact.id.startswith(asked) or fact.urn.rpartition("::")[2] == asked]
    if len(found) == 1 and asked:
        return found[0]
    choices = found or list(review.facts)
    problems = [Problem(fact.id, f"{fact.op} {clean(subject_of_urn(fact.urn))} {clean(fact.path)}") for fact in choices]
    kind = "Several facts are called" if found else "No fact is called"
    raise TollgateError(f"{kind} {asked!r}.", problems[:_MOST_SHOWN], advice="give the id of one of these")


def _lines(review: Review, fact: FactRow) -> Iterator[Phrase]:
    who = readable(capital(subject_of_urn(fact.urn)))
    what = (
        phrase("explain_property", path=clean(fact.path), kind=clean(fact.kind))
        if fact.path
        else phrase("explain_whole")
    )
    yield phrase("explain_fact", id=fact.id, who=who, op=clean(fact.op), what=what)
    yield phrase("explain_values", before=clean(fact.before)[:12], after=clean(fact.after)[:12])
    yield from (_finding(finding) for finding in review.findings if finding.urn == fact.urn and _about(finding, fact))
    yield from (
        phrase("explain_unknown", sentence=readable(unknown.sentence))
        for unknown in review.unknowns
        if unknown.urn == fact.urn
    )
    if review.impact:
        yield from _impact(review.impact, fact)


def _about(finding: Finding, fact: FactRow) -> bool:
    """A finding about another property of the same resource is another fact's."""
    paths = [evidence.path for evidence in finding.evidence]
    return not fact.path or not paths or any(_overlap(path, fact.path) for path in paths)


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _finding(finding: Finding) -> Phrase:
    return phrase("explain_finding", sentence=readable(finding.sentence), rule=readable(finding.rule))


def _impact(impact: Impact, fact: FactRow) -> Iterator[Phrase]:
    yield from _effects(impact, fact)
    yield from _services(impact, fact)
    for row in impact.cost.resources:
        if row.urn == fact.urn:
            yield phrase("explain_cost", amount=money_in_words(row.delta, clean(impact.cost.currency)))
            yield from (phrase("explain_price", source=_source(charge.price)) for charge in row.charges if charge.price)
    yield from (
        phrase("explain_undo", sentence=readable(step.sentence)) for step in impact.undo.steps if step.urn == fact.urn
    )
    yield from (
        phrase("explain_class", sentence=readable(reason.sentence))
        for reason in impact.classified.reasons
        if reason.urn == fact.urn
    )


def _effects(impact: Impact, fact: FactRow) -> Iterator[Phrase]:
    for effect in impact.effects:
        if effect.urn == fact.urn and (not effect.path or _overlap(effect.path, fact.path)):
            yield phrase(
                "explain_effect",
                sentence=readable(effect.sentence),
                lasts=lasts_in_words(effect.lasts, for_good=effect.for_good),
                source=_source(effect.source),
            )
    for unknown in impact.unknown_effects:
        if unknown.urn == fact.urn:
            yield phrase("explain_unknown", sentence=readable(unknown.sentence))


def _services(impact: Impact, fact: FactRow) -> Iterator[Phrase]:
    for reached in impact.affected.reached if impact.affected else ():
        if reached.urn != fact.urn:
            continue
        service = called(reached.service, impact)
        way = tuple(quote(f"{readable(subject_of_urn(hop.urn))} ({clean(hop.property)})") for hop in reached.way)
        if way:
            yield phrase("explain_reaches", service=service, way=way)
        else:
            yield phrase("explain_serves", service=service)


def _source(source: SourceLine) -> str:
    return f"{clean(source.file)}:{source.line} {clean(source.id)}, {readable(source.source)}"
