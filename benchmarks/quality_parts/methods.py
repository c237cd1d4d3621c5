"""The methods that are measured on the bank, as a table. Another one is another line of `METHODS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quality_parts.baselines import SEARCHES, reselection, right_answer_is_right, string_check
from quality_parts.found import Measure, one_by_one, replayed
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.annotators.steps.omegaprm_locate import OmegaPRMLocate
from steplabel.labels.policies import POLICIES

BUDGETS: Final = (1, 2, 4, 8, 16, 32)
"""k of the papers and around it; 64 rollouts a prefix give at least two independent replications of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A curve: one way of labelling, at several budgets.

    Attributes:
        name: annotator and view, as the table and the plot call it.
        measure: labels a bank.
        budgets: the values of k.
        most_of_one: most rollouts of one prefix that k may need, as a multiple of k: the distance between
            replications that share none.
        baseline: another tool's way of working, see `baselines.py`.
    """

    name: str
    measure: Measure
    budgets: tuple[int, ...] = BUDGETS
    most_of_one: int = 1
    baseline: bool = False

    def replications(self, k: int, *, held: int, most: int) -> list[int]:
        """First rollouts of up to `most` replications that share none, of a bank with `held` rollouts a prefix."""
        need = k * self.most_of_one
        return [need * i for i in range(min(most, held // need))]


METHODS: Final[tuple[Method, ...]] = (
    Method(
        name="math_shepherd",
        measure=replayed(lambda k: MathShepherd(k=k), POLICIES["math_shepherd_soft"]),
    ),
    Method(
        name="omegaprm_locate",
        measure=replayed(lambda k: OmegaPRMLocate(k=k), POLICIES["locate"]),
    ),
    Method(
        name="omegaprm_locate, early",
        measure=replayed(
            lambda k: OmegaPRMLocate(k=k, stop_at_first_success=True, chunk=min(2, k)), POLICIES["locate"]
        ),
    ),
    Method(
        name="SCAN, right answer = right",
        measure=one_by_one(right_answer_is_right),
        baseline=True,
    ),
    Method(
        name="distilabel, string check",
        measure=one_by_one(string_check),
        baseline=True,
    ),
    Method(
        name="openr, re-selection",
        measure=one_by_one(reselection),
        budgets=(1, 2, 4, 8),
        most_of_one=2 * SEARCHES,
        baseline=True,
    ),
)
