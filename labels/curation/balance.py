"""Thin a set until its classes stand in a wanted ratio: erroneous to clean, last step right to wrong.

SCAN (Ding et al. 2025, arXiv:2509.16548) keeps as many solutions with an error as without, 1:1. FoVer (Kamoi
et al. 2025, arXiv:2505.15960; its released code) trains on the last step of every prefix and keeps as many
prefixes that end in a right step as in a wrong one, for steps in the middle and for final steps apart, since
the final answer looks different from reasoning.

Which members stay is drawn by seed and id, so the choice does not depend on order, and a smaller choice is
part of a larger one: more weight to one class adds members and changes none.

Deviations. FoVer samples with one global generator, so one record more changes the whole choice. Its code puts
the step *before* the last into the bucket meant for final steps (an index that is off by one); here a final
step is the last labelable one, as its comment says: of the whole solution, also where labels were cut after the
error. Unknown is no class: such members leave.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Generic, TypeVar

from steplabel.labels.curation.draws import uniform
from steplabel.schemas import NO_ERROR, ConfigError, DataError, LabelRow, Solution, StepMark

C = TypeVar("C", bound=str)

ERRONEOUS, CLEAN = "erroneous", "clean"
"""Classes of solutions by their first error."""

EVEN: Mapping[str, float] = {ERRONEOUS: 1.0, CLEAN: 1.0}
"""SCAN's 1:1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCount(Generic[C]):
    """How many members a class had, and how many stay."""

    name: C
    members: int
    kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced(Generic[C]):
    """What balancing kept.

    Attributes:
        kept: ids, sorted.
        classes: one entry for each class that has a weight, in the order of the weights.
        unclassed: members that left because they have no class, or one without a weight.
    """

    kept: tuple[str, ...]
    classes: tuple[ClassCount[C], ...]
    unclassed: int


def error_class(first_error: int | None) -> str | None:
    """`erroneous` or `clean`; None where the first error is not known."""
    if first_error is None:
        return None
    return CLEAN if first_error == NO_ERROR else ERRONEOUS


def balance(classes: Mapping[str, C | None], weights: Mapping[C, float], *, seed: int = 0) -> Balanced[C]:
    """Keep the most members whose classes stand in the ratio of `weights`, up to rounding down.

    A class without members leaves nothing of the others: no ratio to nothing can be kept.

    Args:
        classes: by member's id, its class; None if it is not known.
        weights: by class, its part: `EVEN`, or {"erroneous": 2, "clean": 1} for two to one.
        seed: of the draw.

    Raises:
        ConfigError: no weights, or one that is not a positive number.
    """
    if not weights or any(not (0 < weight < math.inf) for weight in weights.values()):
        raise ConfigError(f"class weights {dict(weights)} must be positive numbers, at least one")
    members: dict[C, list[str]] = {name: [] for name in weights}
    for id_, name in classes.items():
        if name is not None and name in members:
            members[name].append(id_)
    quotas = _quotas({name: len(ids) for name, ids in members.items()}, weights)
    kept = {name: _drawn(ids, quotas[name], seed) for name, ids in members.items()}
    return Balanced(
        kept=tuple(sorted(id_ for ids in kept.values() for id_ in ids)),
        classes=tuple(ClassCount(name=name, members=len(members[name]), kept=len(kept[name])) for name in weights),
        unclassed=len(classes) - sum(map(len, members.values())),
    )


def _quotas(counts: Mapping[C, int], weights: Mapping[C, float]) -> dict[C, int]:
    """The scarcest class, by its weight, stays whole; the others follow it."""
    scale = min(count / weights[name] for name, count in counts.items())
    # A hair more than the product: 3 / 0.3 * 0.3 must not fall to 2.
    return {name: min(counts[name], math.floor(scale * weight * (1 + 1e-12))) for name, weight in weights.items()}


def _drawn(ids: Sequence[str], count: int, seed: int) -> list[str]:
    return sorted(ids, key=lambda id_: (uniform(seed, "balance", id_), id_))[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastStep:
    """A prefix of a labelled solution as a training example: its last step is what is judged.

    Attributes:
        id: of solution, label policy and prefix: what is drawn by.
        row: index of the labelled row in the sequence that was given.
        steps: how many steps the prefix has.
        mark: of the prefix's last step; never unknown.
        final: whether that is the last labelable step of the whole solution.
    """

    id: str
    row: int
    steps: int
    mark: StepMark
    final: bool


def balanced_last_steps(
    rows: Sequence[LabelRow],
    *,
    solutions: Sequence[Solution] | None = None,
    right_per_wrong: float = 1.0,
    seed: int = 0,
) -> tuple[LastStep, ...]:
    """Prefixes of the rows, as many that end right as wrong, in the middle and at the end of solutions apart.

    A prefix ends with a labelable step whose mark is known. The examples come in the order of rows and steps.

    Args:
        rows: labelled solutions.
        solutions: one a row, as in `last_steps`; None where no row was cut.
        right_per_wrong: prefixes that end right for each one that ends wrong; FoVer: 1.
        seed: of the draw.

    Raises:
        ConfigError: the ratio is not a positive number.
        DataError: two rows of one solution under one policy.
    """
    _check_distinct(rows)
    whole = [None] * len(rows) if solutions is None else solutions
    examples = [
        replace(example, row=index)
        for index, (row, solution) in enumerate(zip(rows, whole, strict=True))
        for example in last_steps(row, solution)
    ]
    kept = balanced_examples(examples, right_per_wrong=right_per_wrong, seed=seed)
    return tuple(example for example in examples if example.id in kept)


def balanced_examples(examples: Iterable[LastStep], *, right_per_wrong: float = 1.0, seed: int = 0) -> frozenset[str]:
    """Ids of the examples that `balanced_last_steps` keeps: of a whole dataset, its ids and marks are held alone.

    Raises:
        ConfigError: the ratio is not a positive number.
    """
    weights = {StepMark.POSITIVE: right_per_wrong, StepMark.NEGATIVE: 1.0}
    marks: dict[bool, dict[str, StepMark | None]] = {False: {}, True: {}}
    for example in examples:
        marks[example.final][example.id] = example.mark
    return frozenset(id_ for its in marks.values() for id_ in balance(its, weights, seed=seed).kept)


def _check_distinct(rows: Sequence[LabelRow]) -> None:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (row.solution_id, row.label_policy) in seen:
            raise DataError(f"two rows of {row.solution_id} under {row.label_policy}: remove duplicates first")
        seen.add((row.solution_id, row.label_policy))


def last_steps(row: LabelRow, solution: Solution | None = None) -> Iterator[LastStep]:
    """Every prefix of a row that ends with a labelable step whose mark is known; `LastStep.row` is 0.

    Args:
        row: a labelled solution; labels that were cut after an error hold fewer steps than it.
        solution: all of it, to tell the final step; None where the row holds it all. Steps may be joined in the row.
    """
    written = tuple(accumulate(map(len, row.steps)))
    whole = zip(written, row.labelable, strict=True) if solution is None else _ends(solution)
    last = max((end for end, labelable in whole if labelable), default=0)
    for i, mark in enumerate(row.labels):
        if row.labelable[i] and mark is not StepMark.UNKNOWN:
            id_ = f"{row.problem_id} {row.solution_id} {row.label_policy} {i + 1}"
            yield LastStep(id=id_, row=0, steps=i + 1, mark=mark, final=written[i] >= last)


def _ends(solution: Solution) -> Iterator[tuple[int, bool]]:
    """Where each step ends, in characters, and whether it is labelable."""
    return ((step.start + len(step.text), step.labelable) for step in solution.steps)
