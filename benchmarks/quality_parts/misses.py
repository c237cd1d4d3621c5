"""In which way a method is wrong about solutions: what no budget mends, and what more rollouts might."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from steplabel.labels.curation.noise_by_length import Difference, difference
from steplabel.pipelines.bank import BankCase
from steplabel.schemas import NO_ERROR
from steplabel.schemas.bank import SolutionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Misses:
    """Shares of the erroneous solutions, and for the last one of the clean ones.

    Attributes:
        lucky: said to be clean although a step is wrong, and the answer is right: what trusts answers cannot see it.
        missed: said to be clean although a step is wrong, with a wrong answer or none.
        early, late: an error is named, but before or after the first one.
        unlabelled: nothing is said.
        false_alarms: of the clean solutions, said to hold an error.
    """

    lucky: float
    missed: float
    early: float
    late: float
    unlabelled: float
    false_alarms: float

    @classmethod
    def of(cls, said: Sequence[int | None], cases: Sequence[BankCase]) -> Misses:
        """Count what was said of each solution."""
        kinds: Counter[tuple[Difference, bool]] = Counter()
        erroneous = clean = 0
        for first, case in zip(said, cases, strict=True):
            true = case.banked.first_error
            erroneous, clean = erroneous + (true != NO_ERROR), clean + (true == NO_ERROR)
            found = difference(first, true)
            # Silence about a clean solution is no false alarm, and about an erroneous one it is a miss.
            if found is not Difference.UNKNOWN or true != NO_ERROR:
                kinds[found, case.banked.kind is SolutionKind.LUCKY] += 1

        def share(found: Difference, *, lucky: tuple[bool, ...] = (False, True)) -> float:
            return sum(kinds[found, one] for one in lucky) / erroneous if erroneous else 0.0

        alarms = kinds[Difference.FALSE_ALARM, False] + kinds[Difference.FALSE_ALARM, True]
        return cls(
            lucky=share(Difference.MISSED, lucky=(True,)),
            missed=share(Difference.MISSED, lucky=(False,)),
            early=share(Difference.EARLY),
            late=share(Difference.LATE),
            unlabelled=share(Difference.UNKNOWN),
            false_alarms=alarms / clean if clean else 0.0,
        )
