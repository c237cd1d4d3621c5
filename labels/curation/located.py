"""Where each source sees the first error, so that sources of different kinds can be compared.

Label records carry their first error. A verifier says *holds*, *fails* or nothing about single steps; what
that makes of a location depends on how much the verifier covers, so the reading is an argument.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import numpy as np

from steplabel.schemas import NO_ERROR, ConfigError, DataError
from steplabel.schemas.batches import EvidenceBatch, IntArray

HOLDS, FAILS = 1, -1
"""Words of `EvidenceBatch.verdicts`."""

CleanIf: TypeAlias = Literal["all_hold", "none_fails"]


def verdict_first_errors(
    batch: EvidenceBatch, source: str, *, clean_if: CleanIf = "all_hold", certain: bool = False
) -> list[int | None]:
    """First error of each solution as one verifier sees it: 0-based, -1 for none, None for not known.

    The first labelable step that fails is the location. Arithmetic finds few of the errors there are (5-7 %
    of wrong solutions), but what it finds is one (93 %): so a step before it on which the verifier was silent
    does not unsettle the location, unless `certain`; that it is the *first* error is for the other sources to
    confirm.

    Args:
        batch: counts and verdicts of the solutions.
        source: whose verdicts; a source that never spoke knows of no solution.
        clean_if: when a solution in which nothing fails has no error. `all_hold`: every labelable step holds.
            `none_fails`: at least one holds; for a verifier of wide coverage, else it over-states agreement.
        certain: every labelable step before the failing one must hold, else the location is not known.

    Raises:
        ConfigError: `clean_if` is not one of its words.
        DataError: a verdict that is none of 1, 0, -1.
    """
    if clean_if not in get_args(CleanIf):
        raise ConfigError(f"clean_if={clean_if!r} must be one of {', '.join(get_args(CleanIf))}")
    verdicts = batch.verdicts_of(source)
    if (np.abs(verdicts) > 1).any():
        raise DataError(f"verdicts of {source} hold {np.abs(verdicts).max()}: 1 holds, -1 fails, 0 is unknown")
    ends = batch.offsets.tolist()
    return [
        _first_error(verdicts[start:end], np.flatnonzero(batch.labelable[start:end]), clean_if, certain)
        for start, end in pairwise(ends)
    ]


def _first_error(verdicts: IntArray, labelable: IntArray, clean_if: CleanIf, certain: bool) -> int | None:
    said = verdicts[labelable]
    fails = np.flatnonzero(said == FAILS)
    if len(fails):
        settled = bool((said[: fails[0]] == HOLDS).all())
        return int(labelable[fails[0]]) if settled or not certain else None
    holds = said == HOLDS
    clean = holds.any() and (clean_if == "none_fails" or holds.all())
    return NO_ERROR if clean else None
