"""What an outcome bank is to hold, and how its solutions and rollouts are drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from steplabel.annotators.question_filter import QuestionFilter
from steplabel.pipelines.recipes import ModelUse
from steplabel.schemas import ConfigError
from steplabel.schemas.bank import SolutionKind
from steplabel.transforms.sample import SamplingPlan
from steplabel.verifiers import AnswerChecker

BANK_SEED: Final = 60_001
"""No other command's problems: the demo and the tests begin at 0, benchmarks at 1, 20,001 and 40,001."""
SECOND_SEED: Final = 60_002
"""Of a second completer's rollouts: were it the same model, they would not be the first one's over again."""
PROBLEMS_AT_ONCE: Final = 64
"""Problems whose solutions are sampled together: at most so many are sampled and then not needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many solutions of different text a bank must hold. `erroneous` counts the lucky ones, too."""

    solutions: int = 1000
    clean: int = 400
    erroneous: int = 400
    lucky: int = 100

    def wanted(self, held: Counter[SolutionKind]) -> frozenset[SolutionKind]:
        """The kinds of which there are not enough yet; empty when the bank is complete."""
        if held.total() < self.solutions:
            return frozenset(SolutionKind)
        wanted = set[SolutionKind]()
        if held[SolutionKind.CLEAN] < self.clean:
            wanted.add(SolutionKind.CLEAN)
        if held[SolutionKind.FAILED] + held[SolutionKind.LUCKY] < self.erroneous:
            wanted |= {SolutionKind.FAILED, SolutionKind.LUCKY}
        if held[SolutionKind.LUCKY] < self.lucky:
            wanted.add(SolutionKind.LUCKY)
        return frozenset(wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutsWanted:
    """What is asked of every prefix of a bank.

    Attributes:
        use: completes the prefixes, with its sampling.
        rollouts: of each prefix.
        seed: of the rollouts.
        in_flight: problems whose prefixes are asked at once. Changes speed only.
    """

    use: ModelUse
    rollouts: int = 64
    seed: int = SECOND_SEED
    checker: AnswerChecker = field(default_factory=AnswerChecker)
    in_flight: int = 8

    def __post_init__(self) -> None:
        if self.rollouts < 1 or self.in_flight < 1:
            raise ConfigError(f"rollouts={self.rollouts} and in_flight={self.in_flight} must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankPlan:
    """What a bank is made of. Equal plans give equal banks, as far as the engine repeats itself.

    Attributes:
        use: writes the solutions and completes the prefixes; its sampling is that of both.
        rollouts: of each prefix.
        solutions: sampled for each problem. Four, as in the recipes.
        events: fewest and most steps of a problem before its answer.
        seed: of problems, solutions and rollouts.
        test_share: share of the problems that no setting may be chosen on.
        most_problems: stop with an error where so many problems did not bring the quota.
        in_flight: problems whose prefixes are asked at once. Changes speed only.
    """

    use: ModelUse
    rollouts: int = 64
    quota: Quota = Quota()
    solutions: int = 4
    events: tuple[int, int] = (4, 8)
    seed: int = BANK_SEED
    test_share: float = 0.5
    question_filter: QuestionFilter = field(default_factory=QuestionFilter)
    checker: AnswerChecker = field(default_factory=AnswerChecker)
    most_problems: int = 10_000
    in_flight: int = 8

    def __post_init__(self) -> None:
        if self.rollouts < 1 or self.solutions < 1 or self.in_flight < 1:
            counts = f"rollouts={self.rollouts}, solutions={self.solutions} and in_flight={self.in_flight}"
            raise ConfigError(f"{counts} must be at least 1")
        if not 0.0 <= self.test_share <= 1.0:
            raise ConfigError(f"test_share={self.test_share} must lie between 0 and 1")

    @property
    def wanted(self) -> RolloutsWanted:
        """What is asked of the prefixes."""
        return RolloutsWanted(
            use=self.use, rollouts=self.rollouts, seed=self.seed, checker=self.checker, in_flight=self.in_flight
        )

    @property
    def sampling_plan(self) -> SamplingPlan:
        """How solutions are drawn: as a run draws them."""
        return SamplingPlan(
            policy=self.use.engine,
            prompt=self.use.prompt,
            checker=self.checker,
            segmenter=self.use.segmenter,
            sampling=self.use.sampling,
            n=self.solutions,
            seed=self.seed,
            in_flight=PROBLEMS_AT_ONCE,
        )
