"""What a method says, against the exact truth."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from quality_parts.found import Found
from quality_parts.methods import Method
from steplabel.engines.bundled.task import parse_problem
from steplabel.engines.bundled.truth import check_solution
from steplabel.labels.metrics import first_error_f1
from steplabel.labels.step_metrics import calibration, ranking_quality
from steplabel.pipelines.bank import Bank
from steplabel.schemas import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One method at one budget: the mean over replications that share no rollout.

    Attributes:
        f1, f1_low, f1_high: first-error F1 against strict truth; 95 % bootstrap over problems.
        acc_error, acc_clean: exact location on erroneous solutions; said clean of clean ones.
        n_error, n_clean: solutions of each kind. unknown: share of solutions without a prediction.
        brier, calibration_error, ranking: soft labels read as the probability that the step is right: mean squared
            distance, expected calibration error, and chance that a right step outranks a wrong one. None where the
            method gives no values.
        rollouts, tokens: for each solution.
        seconds: processor time of one replication.
    """

    method: str
    baseline: bool
    k: int
    replications: int
    f1: float
    f1_low: float
    f1_high: float
    acc_error: float
    acc_clean: float
    n_error: int
    n_clean: int
    unknown: float
    brier: float | None
    calibration_error: float | None
    ranking: float | None
    rollouts: float
    tokens: float
    seconds: float


def score(method: Method, k: int, bank: Bank, *, replications: int) -> Score:
    """Measure one method at one budget.

    Raises:
        ConfigError: the bank has too few rollouts of a prefix for a single replication.
    """
    offsets = method.replications(k, held=bank.rollouts, most=replications)
    if not offsets:
        raise ConfigError(f"{method.name}, k={k}: the bank holds only {bank.rollouts} rollouts of each prefix")
    begin = time.process_time()
    found = [method.measure(bank, k, offset) for offset in offsets]
    seconds = (time.process_time() - begin) / len(offsets)
    report = first_error_f1(
        list(chain.from_iterable(one.first_errors for one in found)),
        bank.truth() * len(offsets),
        # Replications of a problem stay with it, so more of them do not make the interval look surer than problems do.
        groups=bank.groups() * len(offsets),
    )
    brier, error, ranking = _soft(found, bank)
    return Score(
        method=method.name,
        baseline=method.baseline,
        k=k,
        replications=len(offsets),
        f1=report.f1,
        f1_low=report.f1_low,
        f1_high=report.f1_high,
        acc_error=report.acc_error,
        acc_clean=report.acc_clean,
        n_error=report.n_error // len(offsets),
        n_clean=report.n_clean // len(offsets),
        unknown=report.unknown / max(1, len(offsets) * len(bank.cases)),
        brier=brier,
        calibration_error=error,
        ranking=ranking,
        rollouts=_mean(one.rollouts for one in found),
        tokens=_mean(one.tokens for one in found),
        seconds=seconds,
    )


def _soft(found: Sequence[Found], bank: Bank) -> tuple[float | None, float | None, float | None]:
    pairs = [pair for one in found for pair in _steps(one, bank)]
    values, right = [value for value, _ in pairs], [held for _, held in pairs]
    if all(value is None for value in values):
        return None, None, None
    report = calibration(values, right)
    return report.brier, report.error, ranking_quality(values, right)


def _steps(found: Found, bank: Bank) -> Iterator[tuple[float | None, bool]]:
    """Each step's value and whether the step is right; steps that the method cut are left out."""
    for case, values in zip(bank.cases, found.values, strict=True):
        yield from zip(values, right_steps(case.record.problem.text, case.banked.text), strict=False)


@cache
def right_steps(problem: str, solution: str) -> tuple[bool, ...]:
    """Whether each line of a solution is strictly right."""
    lines = [line for line in solution.split("\n") if line]
    return tuple(not step.wrong for step in check_solution(parse_problem(problem), lines))


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed)
