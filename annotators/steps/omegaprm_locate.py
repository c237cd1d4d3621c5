"""OmegaPRM's binary search for the first error (Luo et al. 2024, arXiv:2406.06592, section 3.2).

The first error is the step that ends the first prefix with MC = 0, found by halving: about log2(T) prefixes are
asked instead of T.

Covered: one given solution; each prefix is asked at most once; early ends and k by difficulty, which the paper has
not, as options. Not covered: the tree around it (the pool of rollouts, selection by Q + U), which is another
annotator. What is taken and not asked, and what unknown outcomes do: `locating.py`.

Where MC is not monotone (a step repairs an error, or k unlucky completions look like one) the search still
ends at a step whose prefix has MC = 0 and the prefix before it MC > 0; it need not be the first such step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from steplabel.annotators.effects import Program
from steplabel.annotators.steps.locating import ErrorSearch, Search


@dataclass(frozen=True, slots=True, kw_only=True)
class OmegaPRMLocate(ErrorSearch):
    """Binary search for the first prefix from which no completion is right. The paper has k=8.

    Attributes are those of `ErrorSearch` and `RolloutPlan`.
    """

    name: ClassVar[str] = "omegaprm_locate"
    version: ClassVar[str] = "3"

    def narrow(self, search: Search) -> Program[int | None]:
        """Halve until one step is left."""
        low, high = -1, len(search.depths) - 1  # indices into depths; -1 is the bare problem
        while high - low > 1:
            middle = (low + high) // 2
            reachable = yield from search.reaches(middle)
            if reachable is None:
                return None
            if reachable:
                low = middle
            else:
                high = middle
        return high

    def _most_prefixes(self, steps: int) -> int:
        return max(0, steps - 1).bit_length()
