"""What a method says about the solutions of a bank, and what it asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from steplabel.annotators.annotation import Annotator, ProblemAnnotator
from steplabel.annotators.banked import BankEngine
from steplabel.labels.policies import LabelPolicy
from steplabel.pipelines.bank import Bank, BankCase, replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One method on one bank; lists follow `Bank.cases`.

    Attributes:
        first_errors: 0-based, -1 for none, None for not known.
        values: soft labels of the steps from the first on, None where there is none; shorter than the solution
            where the method cuts it, empty where it gives none.
        rollouts, tokens: consumed for each solution, in the mean; shared ones count for each that shares them.
    """

    first_errors: list[int | None]
    values: list[tuple[float | None, ...]]
    rollouts: float
    tokens: float


Measure: TypeAlias = Callable[[Bank, int, int], Found]
"""(bank, budget k, first rollout to use) -> what the method found."""


def replayed(annotator: Callable[[int], Annotator | ProblemAnnotator], policy: LabelPolicy) -> Measure:
    """An annotator of ours, made from its budget, under a label policy."""

    def measure(bank: Bank, k: int, offset: int) -> Found:
        found = replay(annotator(k), bank, policy, offset=offset)
        return Found(
            first_errors=[one.first_error for one in found.labels],
            values=[one.values for one in found.labels],
            rollouts=found.rollouts_per_solution,
            tokens=found.tokens_per_solution,
        )

    return measure


class Asking:
    """Rollouts of one solution's prefixes, read straight from the bank, and their cost."""

    def __init__(self, engine: BankEngine, case: BankCase) -> None:
        self._engine = engine
        self._keys = (case.record.problem.root_key, *case.solution.node_keys)
        self.rollouts = self.tokens = 0

    def ends(self, depth: int, n: int, *, start: int = 0) -> str:
        """How samples `start .. start + n - 1` of the first `depth` steps ended: letters of `schemas.bank.ENDS`."""
        node = self._engine.node(self._keys[depth])
        at = self._engine.positions(node, start, n)
        self.rollouts += n
        self.tokens += sum(node.prefix.tokens[at.start : at.stop])
        return node.prefix.ends[at.start : at.stop]


def one_by_one(locate: Callable[[BankCase, Asking, int], int | None]) -> Measure:
    """A method that looks at each solution by itself and says where its first error is."""

    def measure(bank: Bank, k: int, offset: int) -> Found:
        engine = bank.engine.shifted(offset)
        asking = [Asking(engine, case) for case in bank.cases]
        firsts = [locate(case, own, k) for case, own in zip(bank.cases, asking, strict=True)]
        return Found(
            first_errors=firsts,
            values=[() for _ in firsts],
            rollouts=sum(own.rollouts for own in asking) / max(1, len(asking)),
            tokens=sum(own.tokens for own in asking) / max(1, len(asking)),
        )

    return measure
