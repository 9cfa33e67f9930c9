"""What a workload runs: an image that can change under its name, a scheme that goes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from tollgate.assess.model import Evidence
from tollgate.assess.naming import capital, subject
from tollgate.assess.rule import Fine, Hit, Seen, step_rule
from tollgate.assess.values import Pair, is_known, pairs
from tollgate.books.guards import guard_book
from tollgate.books.match import matches
from tollgate.plan.model import Op, Step
from tollgate.policy.severity import HIGH, MEDIUM

_CHANGED = (Op.UPDATE, Op.REPLACE)
# Where images stand (pulumi_kubernetes 4.34.2, pulumi_aws 7.51.1).
_IMAGES = (
    (("kubernetes:apps/v1:*", "kubernetes:batch/v1:Job"), "spec.template.spec.containers[*].image"),
    (("kubernetes:apps/v1:*", "kubernetes:batch/v1:Job"), "spec.template.spec.initContainers[*].image"),
    (("kubernetes:batch/v1:CronJob",), "spec.jobTemplate.spec.template.spec.containers[*].image"),
    (("kubernetes:core/v1:Pod",), "spec.containers[*].image"),
    (("kubernetes:rabbitmq.com/*:RabbitmqCluster",), "spec.image"),
    (("kubernetes:postgresql.cnpg.io/*:Cluster",), "spec.imageName"),
    (("aws:lambda/function:Function",), "imageUri"),
)
# Tags that move on purpose, names of branches (https://kubernetes.io/docs/concepts/containers/images/#image-names).
_MOVING = frozenset(
    {"latest", "stable", "edge", "nightly", "main", "master", "develop", "dev", "current", "lts", "release", "rolling"}
)
_JOBS = ("kubernetes:batch/v1:Job", "kubernetes:batch/v1:CronJob")
_FOLDERS = ("kubernetes:core/v1:ConfigMap",)
_OF_MIGRATIONS = re.compile(r"migrat|schema|flyway|liquibase|alembic|revision|downgrade", re.IGNORECASE)
_BACK = frozenset({"downgrade", "rollback", "undo", "down", "revert"})
_SHARED = guard_book().rules["migration-reverted"]


@step_rule(
    id="image-unpinned",
    severity=MEDIUM,
    why="What runs is whatever the tag points to on the day a copy starts, which nobody approved.",
    fix="name the image by its digest",
    concerns=lambda type_token: any(matches(type_token, patterns) for patterns, _ in _IMAGES),
)
def image_unpinned(step: Step) -> Iterator[Seen]:
    """An image that was fixed by its digest or its version is named by a tag that moves."""
    if step.op not in _CHANGED:
        return
    for patterns, path in _IMAGES:
        for pair in pairs(step, path) if matches(step.type, patterns) else ():
            if not is_known(pair.after) or not isinstance(pair.after.value, str):
                continue
            before = pair.before.value if is_known(pair.before) else None
            if _moves(pair.after.value) and not (isinstance(before, str) and _moves(before)):
                said = f"{capital(subject(step))} runs an image by a tag that can move to another one."
                yield Hit(said, (pair.evidence(),))
            elif pair.touched:
                yield Fine(pair.path, partial(_pinned, step, pair))


def _moves(image: str) -> bool:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return not digest and (not tag or tag.lower() in _MOVING)


def _pinned(step: Step, pair: Pair) -> tuple[str, tuple[Evidence, ...]]:
    how = "its digest" if "@" in str(pair.after.value) else "its version"
    text = f"{capital(subject(step))}: we looked for an image that can move; it is fine, because {how} is named."
    return text, (pair.evidence(),)


@step_rule(
    id="migration-reverted",
    severity=_SHARED.severity,
    why=_SHARED.why,
    fix=_SHARED.fix,
    concerns=lambda type_token: matches(type_token, (*_JOBS, *_FOLDERS)),
)
def migration_reverted(step: Step) -> Iterator[Seen]:
    """A job that migrates a scheme gets a lower target or is told to go back, or steps leave the folder it reads."""
    if step.op not in _CHANGED or step.old is None or step.new is None:
        return
    if step.type in _FOLDERS:
        yield from _steps_lost(step)
        return
    old, new = _words(step.old), _words(step.new)
    names = (str(container.get(key, "")) for container in _containers(step.new) for key in ("name", "image"))
    if old == new or not _OF_MIGRATIONS.search(" ".join((step.name, *names, *old, *new))):
        return
    for before, after in zip(old, new, strict=False):
        if before.isdigit() and after.isdigit() and int(after) < int(before):
            said = f"{capital(subject(step))} takes its scheme back from step {before} to step {after}."
            yield Hit(said, (Evidence(path="args", before=before, after=after),))
    back = {word.lower() for word in new} & _BACK - {word.lower() for word in old}
    for word in sorted(back):
        yield Hit(
            f"{capital(subject(step))} is told to take its scheme back ({word}).", (Evidence(path="args", after=word),)
        )


def _steps_lost(step: Step) -> Iterator[Hit]:
    """Numbered SQL files (``0042_add_column.sql``) that are no longer there, while earlier ones are."""
    files = [
        sorted(str(key) for key in data if re.match(r"\d+.*\.sql$", str(key)))
        for data in ((inputs or {}).get("data") for inputs in (step.old, step.new))
        if isinstance(data, dict)
    ]
    lost = sorted(set(files[0]) - set(files[1])) if len(files) == 2 and files[1] else []
    if lost and len(files[1]) < len(files[0]):
        said = f"{capital(subject(step))} loses {len(lost)} of its steps ({lost[-1]})."
        yield Hit(said, (Evidence(path="data", before=lost[-1], after="not set"),), HIGH)


def _words(inputs: Any) -> list[str]:
    """The command, arguments and plain variables of a job's containers, in order."""
    found: list[str] = []
    for container in _containers(inputs):
        for key in ("command", "args"):
            value = container.get(key)
            found += [str(item) for item in value] if isinstance(value, list) else []
        env = container.get("env")
        for variable in env if isinstance(env, list) else []:
            if isinstance(variable, dict) and isinstance(variable.get("value"), str):
                found.append(variable["value"])
    return found


def _containers(inputs: Any) -> Iterator[dict[str, Any]]:
    for way in (("spec", "template", "spec"), ("spec", "jobTemplate", "spec", "template", "spec")):
        value = inputs
        for key in way:
            value = value.get(key) if isinstance(value, dict) else None
        items = value.get("containers") if isinstance(value, dict) else None
        yield from (item for item in (items if isinstance(items, list) else []) if isinstance(item, dict))


RULES = (image_unpinned, migration_reverted)
