"""`--balance 1:1`: solutions with an error and without in a wanted ratio. Of each its id and class are held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from steplabel.labels.curation import balance, error_class
from steplabel.labels.curation.balance import CLEAN, ERRONEOUS
from steplabel.pipelines.curation.steps import Batch, Before, Dropped, Opened, RowKey, row_key, without
from steplabel.schemas import ConfigError, LabelRow
from steplabel.transforms.dataset import OutputFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Keep as many as the ratio allows (`labels/curation/balance.py`).

    Attributes:
        erroneous, clean: the parts of the two classes.
        seed: of the draw.
    """

    name: ClassVar[str] = "balance"

    erroneous: float = 1.0
    clean: float = 1.0
    seed: int = 0

    def open(self, source: OutputFolder, before: Before) -> Opened:
        """See all rows and draw.

        Raises:
            ConfigError: one class has no member at all.
        """
        classes = {_id(row): error_class(row.first_error) for batch in before() for row in batch.rows}
        balanced = balance(classes, {ERRONEOUS: self.erroneous, CLEAN: self.clean}, seed=self.seed)
        if empty := [one.name for one in balanced.classes if not one.members]:
            raise ConfigError(
                f"--balance: no {' and no '.join(empty)} solution is left of {source.path!r}: nothing could be kept"
            )
        kept = frozenset(balanced.kept)
        return Opened(step=lambda batch: self._apply(batch, kept))

    def _apply(self, batch: Batch, kept: frozenset[str]) -> Batch:
        dropped: dict[RowKey, Dropped] = {}
        for row in batch.rows:
            if _id(row) not in kept:
                known = error_class(row.first_error)
                dropped[row_key(row)] = Dropped(reason=f"too_many_{known}" if known else "class_unknown")
        return without(batch, self.name, dropped)


def read_ratio(text: str, *, seed: int) -> Balance:
    """`1:1`: parts of erroneous and clean solutions. Raises ConfigError if it is not two positive numbers."""
    try:
        erroneous, clean = map(float, text.split(":"))
    except ValueError:
        erroneous = clean = math.nan
    if not (0 < erroneous < math.inf and 0 < clean < math.inf):
        raise ConfigError(f"--balance {text!r}: wants the parts of erroneous and clean solutions, such as 1:1 or 2:1")
    return Balance(erroneous=erroneous, clean=clean, seed=seed)


def _id(row: LabelRow) -> str:
    return f"{row.solution_id}\t{row.problem_id}"
