"""Merge neighbouring steps of labelled rows: at random (FoVer), or where the labels agree (TP-GRPO).

`merge_random_steps`: FoVer (Kamoi et al. 2025, arXiv:2505.15960, and its released code). Formal steps are
smaller than what people write, so two neighbours become one with probability .2, right iff both are. At most
two are merged, and the last step, the final answer, never is.

`merge_same_sign`: TP-GRPO (He et al. 2025, arXiv:2507.23317). Contiguous steps that are all right, or all
wrong, are one thought: fewer and longer steps, no reward for cutting reasoning into more of them.

Deviations. FoVer puts a space or semicolon between merged steps; steps here carry their own separators, so
the text stays as it was. Its code draws by the step's index alone, so every solution of a data set is merged
at the same places: here the draw belongs to the solution, too. TP-GRPO judges right and wrong by a model;
here any known mark will do. An unknown mark has no sign, and joins nothing. What may be joined at all, and
what becomes of values, stands in `joined_steps.py`.
"""

from __future__ import annotations

from steplabel.labels.curation.draws import check_probability, uniform
from steplabel.labels.curation.joined_steps import join_steps, may_join, spans_of
from steplabel.schemas import LabelRow, StepMark

FOVER_PROBABILITY = 0.2
"""FoVer's released code, `randomly_merge_steps`."""

RANDOM, SAME_SIGN = "merged", "thoughts"
"""What the label policy's name gains."""


def merge_random_steps(row: LabelRow, *, probability: float = FOVER_PROBABILITY, seed: int = 0) -> LabelRow:
    """Merge each pair of neighbours that is still free with this probability, from the first step on.

    Drawn by seed, solution and position. Rows of the same solution under several policies are cut alike.

    Raises:
        ConfigError: a probability outside [0, 1].
    """
    check_probability(probability, field="probability")
    last = max((i for i, labelable in enumerate(row.labelable) if labelable), default=0)
    joins = [False] * max(0, len(row.steps) - 1)
    for i in range(last - 1):
        free = i == 0 or not joins[i - 1]
        joins[i] = free and may_join(row, i, i + 1) and uniform(seed, RANDOM, row.solution_id, i) < probability
    return join_steps(row, spans_of(row, joins), name=RANDOM)


def merge_same_sign(row: LabelRow) -> LabelRow:
    """Merge each run of neighbours that are all "+" or all "-"."""
    joins = [_same_sign(row, i) for i in range(len(row.steps) - 1)]
    return join_steps(row, spans_of(row, joins), name=SAME_SIGN)


def _same_sign(row: LabelRow, i: int) -> bool:
    same = row.labels[i] is row.labels[i + 1] and row.labels[i] is not StepMark.UNKNOWN
    return same and may_join(row, i, i + 1)
