"""How other tools work, in our own words and on equal terms: the same solutions, the same rollouts, the same truth.

Each is a function of one solution and k. What their own answer checks, prompts and schedulers lose is not counted
against them here: it is measured by `answers.py` and `driver.py`.
"""

from __future__ import annotations

from typing import Final

from quality_parts.found import Asking
from steplabel.pipelines.bank import BankCase
from steplabel.schemas import NO_ERROR, Outcome
from steplabel.schemas.bank import ENDS, SAME_TEXT

RIGHT: Final = frozenset(letter for letter, (outcome, _) in ENDS.items() if outcome is Outcome.CORRECT)
SAME: Final = frozenset(letter for letter, (_, reason) in ENDS.items() if reason == SAME_TEXT)
SEARCHES: Final = 3
"""Searches of one solution in `reselection`: 66 % of openr's selections repeat one, so there are 1 / (1 - .66)."""


def right_answer_is_right(case: BankCase, asking: Asking, k: int) -> int | None:
    """SCAN's data rule (Ding et al. 2025, arXiv:2509.16548, and its code): a right answer means right steps.

    A solution with a right answer is clean, and nothing is asked. In any other, k rollouts are drawn from the first
    step, then from the second, and so on; the first step from which none is right is the error, and the rest is not
    looked at. Where every prefix before the last step can succeed, the last step is the error. A rollout without an
    answer is not right. SCAN's gate on self-confidence and its soft labels before the error are left out: they change
    which problems are kept and what values are, not where the error is.
    """
    if case.banked.end in RIGHT:
        return NO_ERROR
    last = len(case.solution.steps) - 1
    for step in range(last):
        if RIGHT.isdisjoint(asking.ends(step + 1, k)):
            return step
    return last


def string_check(case: BankCase, asking: Asking, k: int) -> int | None:
    """distilabel's Math-Shepherd completer: strings are compared, step by step, and nothing is inferred.

    k completions are drawn from every prefix except those of the last step and of the whole solution. A step is "+" iff
    the final answer of one completion is the gold answer letter by letter (8.0 is not 8, nor is 1,000 the text 1000).
    The answer line is then joined to the step before it, and the two are "+" iff the solution's own answer is the gold
    one letter by letter. The first "-" is the error, whatever follows it; that of the joined step stands at the earlier
    of the two. A solution of one step gets no label. Left out: completions that fail to come, which take a step's mark
    away; a bank has none.
    """
    steps = len(case.solution.steps)
    if steps < 2:
        return None
    positive = [not SAME.isdisjoint(asking.ends(step + 1, k)) for step in range(steps - 2)]
    positive.append(case.banked.end in SAME)
    return positive.index(False) if False in positive else NO_ERROR


def reselection(case: BankCase, asking: Asking, k: int) -> int | None:
    """openr's OmegaPRM: what was searched goes back into the pool and is searched again, and nothing is remembered.

    A right answer means right steps: only rollouts with a wrong answer are searched. The search halves the steps, whole
    solution included, and asks k rollouts twice of every prefix it looks at, pooled. The rollout then returns to the
    pool and is selected again, `SEARCHES` times in all (two thirds of its selections are such repeats, measured);
    each search makes new states and pays for new rollouts. All states go into its training file, those that contradict
    each other too; a first error has to be one of them, and the last search's is taken. A search that meets no
    prefix without a right rollout has found no error. Its answer check, a substring of the last sentence, is ours here.
    """
    if case.banked.end in RIGHT:
        return NO_ERROR
    found: int | None = None
    for search in range(SEARCHES):
        found = _halve(case, asking, 2 * k, start=2 * k * search)
    return found


def _halve(case: BankCase, asking: Asking, n: int, *, start: int) -> int:
    """The first step, as far as halving can tell, from which none of n rollouts is right; -1 if none was met."""
    low, high = 0, len(case.solution.steps) - 1
    found = NO_ERROR
    while low <= high:
        middle = (low + high) // 2
        if RIGHT.isdisjoint(asking.ends(middle + 1, n, start=start)):
            found, high = middle, middle - 1
        else:
            low = middle + 1
    return found
