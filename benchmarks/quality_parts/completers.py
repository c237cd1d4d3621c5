"""How good a completer is at what labels rest on: going on from right steps, and not repairing wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steplabel.pipelines.bank import Bank
from steplabel.schemas import NO_ERROR, Outcome
from steplabel.schemas.bank import ENDS, BankedProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Completer:
    """The completer of a bank, by all of its rollouts.

    Attributes:
        name: the model, and the temperature of its rollouts.
        from_problem: share of right rollouts of the bare problem.
        from_right, from_wrong: of prefixes whose steps are all right, and of those that hold a wrong step; whole
            solutions, from which nothing is left to write, are in neither. None without such prefixes.
    """

    name: str
    from_problem: float | None
    from_right: float | None
    from_wrong: float | None

    @classmethod
    def of(cls, bank: Bank) -> Completer:
        """Count a bank that holds at least one problem."""
        ends: dict[str, list[str]] = {"problem": [], "right": [], "wrong": []}
        for row in bank.rows:
            for kind, rollouts in _kinds(row):
                ends[kind].append(rollouts)
        row = bank.rows[0]
        return cls(
            name=f"{row.completer}, temperature {row.sampling.temperature:g}",
            from_problem=_share_right("".join(ends["problem"])),
            from_right=_share_right("".join(ends["right"])),
            from_wrong=_share_right("".join(ends["wrong"])),
        )


def _kinds(row: BankedProblem) -> Iterator[tuple[str, str]]:
    for prefix in row.prefixes:
        solution = row.solutions[prefix.solution]
        if prefix.depth == len(solution.steps):
            continue
        wrong = solution.first_error != NO_ERROR and prefix.depth > solution.first_error
        yield "problem" if not prefix.depth else "wrong" if wrong else "right", prefix.ends


def _share_right(ends: str) -> float | None:
    right = sum(ENDS[end][0] is Outcome.CORRECT for end in ends)
    return right / len(ends) if ends else None
