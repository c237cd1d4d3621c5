"""What a method says, against the exact truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

from quality_parts.found import Found, Reading, Replays
from quality_parts.methods import Family, Method
from quality_parts.misses import Misses
from steplabel.engines.bundled.task import parse_problem
from steplabel.engines.bundled.truth import check_solution
from steplabel.labels.metrics import F1Report, first_error_f1
from steplabel.labels.step_metrics import calibration, ranking_quality
from steplabel.pipelines.bank import Bank
from steplabel.schemas import NO_ERROR, ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One method at one budget: the mean over replications that share no rollout.

    Attributes:
        f1, f1_low, f1_high: first-error F1 against strict truth; 95 % bootstrap over problems. A solution that is
            left unlabelled counts as missed. None where the method's first error is another's.
        f1_labelled: the same over the solutions that it labels, which are others for each method that leaves some out.
        acc_error, acc_clean: exact location on erroneous solutions; said clean of clean ones.
        n_error, n_clean: solutions of each kind. unknown: share of solutions without a prediction.
        brier, calibration_error: numbers read as the probability that the step is right: mean squared distance,
            expected calibration error. None where they are not to be read so.
        ranking: chance that a right step has a larger number than a wrong one; for changes (advantages, credits)
            among the steps up to the first wrong one.
        rollouts, tokens: for each solution.
        seconds: processor time of one replication; views of the same evidence each count its asking.
    """

    method: str
    family: Family
    baseline: bool
    twin: str
    shown: bool
    k: int
    replications: int
    f1: float | None
    f1_low: float | None
    f1_high: float | None
    f1_labelled: float | None
    acc_error: float | None
    acc_clean: float | None
    n_error: int
    n_clean: int
    unknown: float
    misses: Misses | None
    brier: float | None
    calibration_error: float | None
    ranking: float | None
    rollouts: float
    tokens: float
    seconds: float


def score(method: Method, k: int, replays: Replays, *, replications: int) -> Score:
    """Measure one method at one budget.

    Raises:
        ConfigError: the bank has too few rollouts of a prefix for a single replication.
    """
    bank = replays.bank
    offsets = method.replications(k, held=bank.rollouts, most=replications)
    if not offsets:
        raise ConfigError(f"{method.name}, k={k}: the bank holds only {bank.rollouts} rollouts of each prefix")
    found = [method.measure(replays, k, offset) for offset in offsets]
    said = list(chain.from_iterable(one.first_errors for one in found))
    report = f1_of(said, bank, times=len(offsets))
    brier, error = _chances(method, found, bank)
    return Score(
        method=method.name,
        family=method.family,
        baseline=method.baseline,
        twin=method.twin,
        shown=k in method.shown,
        k=k,
        replications=len(offsets),
        f1=report.f1 if method.located else None,
        f1_low=report.f1_low if method.located else None,
        f1_high=report.f1_high if method.located else None,
        f1_labelled=f1_where_labelled(said, bank, times=len(offsets)).f1 if method.located else None,
        acc_error=report.acc_error if method.located else None,
        acc_clean=report.acc_clean if method.located else None,
        n_error=report.n_error // len(offsets),
        n_clean=report.n_clean // len(offsets),
        unknown=report.unknown / max(1, len(said)),
        misses=Misses.of(said, list(bank.cases) * len(offsets)) if method.located else None,
        brier=brier,
        calibration_error=error,
        ranking=_ranking(method, found, bank),
        rollouts=_mean(one.rollouts for one in found),
        tokens=_mean(one.tokens for one in found),
        seconds=_mean(one.seconds for one in found),
    )


def f1_of(said: Sequence[int | None], bank: Bank, *, times: int = 1) -> F1Report:
    """F1 of `times` replications, one after another; all of a problem's stay together in the interval."""
    # So more replications do not make the interval look surer than problems do.
    return first_error_f1(said, bank.truth() * times, groups=bank.groups() * times)


def f1_where_labelled(said: Sequence[int | None], bank: Bank, *, times: int = 1) -> F1Report:
    """The same over the solutions with a prediction."""
    return f1_among(said, bank, [i for i, first in enumerate(said) if first is not None], times=times)


def f1_among(said: Sequence[int | None], bank: Bank, here: Sequence[int], *, times: int = 1) -> F1Report:
    """The same over the solutions at these places."""
    truth, groups = bank.truth() * times, bank.groups() * times
    return first_error_f1([said[i] for i in here], [truth[i] for i in here], groups=[groups[i] for i in here])


def _chances(method: Method, found: Sequence[Found], bank: Bank) -> tuple[float | None, float | None]:
    if method.reading not in (Reading.CHANCE, Reading.MARKS):
        return None, None
    pairs = list(_judged(method, found, bank))
    if not pairs:
        return None, None
    report = calibration([value for value, _ in pairs], [right for _, right in pairs])
    return report.brier, report.error


def _ranking(method: Method, found: Sequence[Found], bank: Bank) -> float | None:
    pairs = list(_judged(method, found, bank)) if method.reading else []
    if not pairs:
        return None
    # Ranks alone count: numbers of any range are brought to that of a probability.
    low, high = min(value for value, _ in pairs), max(value for value, _ in pairs)
    spread = high - low or 1.0
    return ranking_quality([(value - low) / spread for value, _ in pairs], [right for _, right in pairs])


def _judged(method: Method, found: Sequence[Found], bank: Bank) -> Iterator[tuple[float, bool]]:
    """Each number and whether its step is right; steps that were cut, or got no number, are left out."""
    for one in found:
        for case, values in zip(bank.cases, one.values, strict=True):
            first, right = case.banked.first_error, right_steps(case.record.problem.text, case.banked.text)
            judged = len(right) if method.judged_after_error or first == NO_ERROR else first + 1
            pairs = zip(values[:judged], right[:judged], strict=False)
            yield from ((value, held) for value, held in pairs if value is not None)


@cache
def right_steps(problem: str, solution: str) -> tuple[bool, ...]:
    """Whether each line of a solution is strictly right."""
    lines = [line for line in solution.split("\n") if line]
    return tuple(not step.wrong for step in check_solution(parse_problem(problem), lines))


def _mean(numbers: Iterable[float]) -> float:
    listed = list(numbers)
    return sum(listed) / len(listed)
