"""SCAN's linear scan for the first error (Ding et al. 2025, arXiv:2509.16548, its data synthesis).

From the front, 8 completions a step; the first prefix with MC = 0 ends with the error. Right-answer solutions get no
rollouts at all: they are taken as clean. About half of T prefixes are asked where the error is anywhere, more than the
binary search's log2(T); in return the value of every step before the error is measured, which SCAN's soft labels of the
two steps before it need (min(1, MC/SC), d = 2), and a step whose error is repaired later cannot hide the first one.

Deviations. The whole solution is not asked: its answer is wrong, so its MC is 0.
The gate on self-confidence is a question filter (`question_filter.SCAN_GATE`), so the binary search may stand under it
as well; the labels are a label policy's. Early ends and k by difficulty are options that SCAN has not; its soft labels
need all k. What is taken and not asked, and what unknown outcomes do: `locating.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.effects import Program
from steplabel.annotators.steps.locating import ErrorSearch, Search


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearScan(ErrorSearch):
    """Ask prefix after prefix until one has no right completion. SCAN has k=8.

    Attributes are those of `ErrorSearch` and `RolloutPlan`.
    """

    name: ClassVar[str] = "linear_scan"
    version: ClassVar[str] = "2"

    def narrow(self, search: Search) -> Program[int | None]:
        """Walk from the first step on; if all prefixes before it can succeed, the last step is the error."""
        last = len(search.depths) - 1
        for index in range(last):
            reachable = yield from search.reaches(index)
            if reachable is None:
                return None
            if not reachable:
                return index
        return last

    def _most_prefixes(self, steps: int) -> int:
        return max(0, steps - 1)
