"""How figures are written, and Markdown tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from steplabel.pipelines.bank import Bank, count_kinds
from steplabel.schemas.bank import SolutionKind


def number(value: float | None) -> str:
    """Three places; nothing for what is not known."""
    return "" if value is None or math.isnan(value) else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Both ends; nothing where they are not known."""
    return " - ".join(filter(None, (number(low), number(high))))


def percent(share: float) -> str:
    """Whole percents."""
    return f"{share:.0%}".replace("%", " %")


def markdown(headings: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; columns after the first are aligned to the right."""
    lines = [headings, ("---", *("---:" for _ in headings[1:])), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def contents(bank: Bank) -> str:
    """What the bank holds, in a sentence."""
    kinds: Counter[SolutionKind] = sum((count_kinds(row) for row in bank.rows), Counter())
    wrong = kinds[SolutionKind.FAILED] + kinds[SolutionKind.LUCKY]
    return (
        f"{len(bank.cases):,} solutions of {len(bank.rows):,} problems, {bank.rollouts} rollouts of each prefix; of "
        f"different text: {kinds[SolutionKind.CLEAN]} clean, {wrong} with a wrong step, "
        f"{kinds[SolutionKind.LUCKY]} of them with a right answer."
    )
