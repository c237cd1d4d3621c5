"""The methods that are measured on the bank, as a table. Another one is another line of `METHODS`.

An annotator that needs only outcomes and lengths can be replayed. What cannot is measured live (`live.py`): trees that
grow from the texts of rollouts (`omegaprm`, `rest_mcts`, `alphamath`), forced answers (`vsrm`, `anytime_reasoner`)
and log-probabilities (`igpo`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypedDict, Unpack

from quality_parts.baselines import SEARCHES, reselection, right_answer_is_right, string_check
from quality_parts.found import Measure, Reading, one_by_one, replayed
from quality_parts.self_confidence import SAMPLES, WithSelfConfidence
from steplabel.annotators.annotation import Annotator, ProblemAnnotator
from steplabel.annotators.asking.difficulty import KByDifficulty
from steplabel.annotators.asking.zero_test import ZeroTest
from steplabel.annotators.steps.linear_scan import LinearScan
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.annotators.steps.omegaprm_locate import OmegaPRMLocate
from steplabel.annotators.steps.samples_only import SamplesOnly
from steplabel.labels.advantage import StepwiseReward
from steplabel.labels.estimation import HardAbove, HardAny
from steplabel.labels.policies import POLICIES, LabelPolicy
from steplabel.schemas import LabelTarget

BUDGETS: Final = (1, 2, 4, 8, 16, 32)
"""k of the papers and around it; 64 rollouts a prefix give at least two independent replications of each."""
SHOWN: Final = (8, 32)
"""Budgets in the document's table: the papers' usual k, and the most. The plot and `--json` have all."""
ALPHA: Final = 0.05
"""Error rate of the zero tests."""
ANY: Final = HardAny(name="math_shepherd_hard", unknown_as="wrong")


class Family(StrEnum):
    """What belongs together in table and plot."""

    STEPS = "every step by rollouts"
    SEARCH = "search for the first error"
    SCAN = "SCAN's gate and weights"
    PROGRESS = "progress, advantage, credit"
    SAMPLES = "the samples alone"
    OTHERS = "how other tools work"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A curve: one way of labelling, at several budgets.

    Attributes:
        name: annotator and view, as the table and the plot call it.
        measure: labels a bank.
        budgets: the values of k; 0 where nothing is asked.
        most_of_one: most rollouts of one prefix that k may need, as a multiple of k: the distance between
            replications that share none.
        at_least: rollouts of one prefix that it needs whatever k is.
        reading: what its numbers are; None where it has none.
        judged_after_error: whether its numbers say something about the steps after the first error. What a
            step changed cannot be right or wrong where all is lost before.
        located: whether its first error is a prediction of its own. Credits and gates take over another view's.
        twin: a method before it in the table with the same first errors: it has no curve of its own.
        shown: budgets in the document's table; all that fit where none of them does.
    """

    name: str
    family: Family
    measure: Measure
    budgets: tuple[int, ...] = BUDGETS
    most_of_one: int = 1
    at_least: int = 0
    reading: Reading | None = None
    judged_after_error: bool = True
    located: bool = True
    twin: str = ""
    shown: tuple[int, ...] = SHOWN

    def replications(self, k: int, *, held: int, most: int) -> list[int]:
        """First rollouts of up to `most` replications that share none, of a bank with `held` rollouts a prefix."""
        need = max(k * self.most_of_one, self.at_least)
        return [need * i for i in range(min(most, held // need))] if need else [0]

    @property
    def baseline(self) -> bool:
        """Whether it is another tool's way of working, see `baselines.py`."""
        return self.family is Family.OTHERS


class Options(TypedDict, total=False):
    """Fields of `Method` that a line of the table may set beside what it measures."""

    budgets: tuple[int, ...]
    most_of_one: int
    at_least: int
    located: bool
    twin: str
    shown: tuple[int, ...]


def ours(
    name: str,
    family: Family,
    annotator: Callable[[int], Annotator | ProblemAnnotator],
    policy: LabelPolicy,
    reading: Reading = Reading.MARKS,
    **options: Unpack[Options],
) -> Method:
    """An annotator of ours under a view."""
    return Method(
        name=name,
        family=family,
        measure=replayed(annotator, policy, reading),
        reading=reading,
        judged_after_error=policy.target is not LabelTarget.PROGRESS,
        **options,
    )


def zero_test(failures: int) -> ZeroTest:
    """The test that believes MC = 0 after so many failures, at the error rate `ALPHA`."""
    return ZeroTest(p0=1 - ALPHA ** (1 / failures), alpha=ALPHA)


def difficult(k: int) -> KByDifficulty:
    """GenPRM's ratio of 4 : 2 : 1 by how hard the problem is; its own 128, 64, 32 are more than a bank holds."""
    return KByDifficulty(hard=4 * k, medium=2 * k, easy=k, pilot=k)


BY_DIFFICULTY: Final[Options] = {"budgets": (1, 2, 4, 8, 16), "most_of_one": 4, "shown": (8, 16)}
"""Of lines that ask by difficulty: a hard problem needs four times k."""


def savings(
    name: str, family: Family, annotator: type[MathShepherd] | type[OmegaPRMLocate], policy: LabelPolicy
) -> tuple[Method, ...]:
    """The ways to ask less: until the first right rollout, until enough wrong ones, by how hard the problem is."""
    return (
        ours(f"{name}, early", family, lambda k: annotator(k=k, stop_at_first_success=True, chunk=min(2, k)), policy),
        ours(f"{name}, zero test", family, lambda k: annotator(k=k, zero_test=zero_test(k), chunk=1), policy),
        ours(
            f"{name}, k by difficulty",
            family,
            lambda k: annotator(k_by_difficulty=difficult(k)),
            policy,
            **BY_DIFFICULTY,
        ),
    )


def every(k: int) -> MathShepherd:
    """k rollouts at every step."""
    return MathShepherd(k=k)


def from_root(k: int) -> MathShepherd:
    """The same and k at the bare problem, which progress of the first step is measured from."""
    return MathShepherd(k=k, ask_root=True)


LOCATE: Final = POLICIES["locate"]
FROM_FOUR: Final = (4, 8, 16, 32)

_STEPS: Final = (
    ours("math_shepherd_hard", Family.STEPS, every, ANY),
    ours(
        "math_shepherd_soft",
        Family.STEPS,
        every,
        POLICIES["math_shepherd_soft"],
        Reading.CHANCE,
        twin="math_shepherd_hard",
    ),
    *(
        ours(
            f"hard above {tau:g}",
            Family.STEPS,
            every,
            HardAbove(threshold=tau, unknown_as="wrong"),
            budgets=FROM_FOUR,
        )
        for tau in (0.1, 0.2, 0.3, 0.5)
    ),
    ours(
        "math_shepherd_hard, right answer = right",
        Family.STEPS,
        every,
        HardAny(gate_outcome=True, unknown_as="wrong"),
    ),
    *savings("math_shepherd_hard", Family.STEPS, MathShepherd, ANY),
)

_SEARCH: Final = (
    ours("linear_scan", Family.SEARCH, lambda k: LinearScan(k=k), LOCATE),
    ours(
        "linear_scan, early",
        Family.SEARCH,
        lambda k: LinearScan(k=k, stop_at_first_success=True, chunk=min(2, k)),
        LOCATE,
    ),
    ours("omegaprm_locate", Family.SEARCH, lambda k: OmegaPRMLocate(k=k), LOCATE),
    *savings("omegaprm_locate", Family.SEARCH, OmegaPRMLocate, LOCATE),
)

_SCAN: Final = (
    ours(
        "scan_base",
        Family.SCAN,
        lambda k: WithSelfConfidence(search=LinearScan(k=k)),
        POLICIES["scan"],
        Reading.CHANCE,
        at_least=SAMPLES,
    ),
    ours(
        "scan_search",
        Family.SCAN,
        lambda k: WithSelfConfidence(search=OmegaPRMLocate(k=k)),
        POLICIES["scan"],
        Reading.CHANCE,
        at_least=SAMPLES,
    ),
)

_PROGRESS: Final = (
    ours("genprm, ratio", Family.PROGRESS, from_root, POLICIES["genprm"], Reading.SCORE),
    ours("genprm, difference", Family.PROGRESS, from_root, POLICIES["genprm_difference"], Reading.SCORE),
    ours(
        "genprm, ratio, k by difficulty",
        Family.PROGRESS,
        lambda k: MathShepherd(ask_root=True, k_by_difficulty=difficult(k)),
        POLICIES["genprm"],
        Reading.SCORE,
        **BY_DIFFICULTY,
    ),
    ours("pav", Family.PROGRESS, from_root, POLICIES["pav"], Reading.SCORE, budgets=FROM_FOUR),
    ours("stepwise reward", Family.PROGRESS, from_root, StepwiseReward(unknown_as="wrong"), Reading.SCORE),
    ours("pure", Family.PROGRESS, every, POLICIES["pure"], Reading.SCORE, located=False),
    ours("gra", Family.PROGRESS, every, POLICIES["gra"], Reading.SCORE, located=False),
)

_SAMPLES: Final = tuple(
    ours(name, Family.SAMPLES, lambda _: SamplesOnly(), POLICIES[name], reading, budgets=(0,), shown=(0,))
    for name, reading in (("prefix_tree", Reading.CHANCE), ("tempo", Reading.SCORE), ("gigpo", Reading.SCORE))
)

_OTHERS: Final = (
    Method(name="SCAN, right answer = right", family=Family.OTHERS, measure=one_by_one(right_answer_is_right)),
    Method(name="distilabel, string check", family=Family.OTHERS, measure=one_by_one(string_check)),
    Method(
        name="openr, re-selection",
        family=Family.OTHERS,
        measure=one_by_one(reselection),
        budgets=(1, 2, 4, 8),
        most_of_one=2 * SEARCHES,
        shown=(4, 8),
    ),
)

METHODS: Final[tuple[Method, ...]] = (*_STEPS, *_SEARCH, *_SCAN, *_PROGRESS, *_SAMPLES, *_OTHERS)
