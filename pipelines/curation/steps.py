"""What a step of curation is: the rows of a chunk in, rows and rejects out.

A step is opened once a dataset. One that has to see all rows first reads them then, as the steps before it leave
them (`before`), and keeps ids or classes, never rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

from steplabel.labels.curation.step_merging import RANDOM, SAME_SIGN
from steplabel.pipelines.curation.origins import origin
from steplabel.schemas import ConfigError, Evidence, LabelRow, Reject
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.io import count_values

STAGE = "curate"
"""What `Reject.stage` of all steps begins with; the step's name follows after a dot."""

COMPRESSED = "compressed"
"""What the label policy's name gains where steps of a solution were merged in the evidence itself."""
STEPS_JOINED = frozenset({RANDOM, SAME_SIGN, COMPRESSED})
"""Words of a policy's name that say that a row's steps are not those that the model wrote."""

RowKey: TypeAlias = tuple[str, str]
"""Problem and solution: problems that ask the same share their solutions' ids."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The labelled solutions of one chunk on their way through the steps.

    Attributes:
        rejects: what the steps have dropped so far.
        evidence: what a step has put in the place of the chunk's evidence; None if it is to be copied as it is.
    """

    chunk: ChunkEntry
    rows: tuple[LabelRow, ...]
    rejects: tuple[Reject, ...] = ()
    evidence: tuple[Evidence, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """Why a row leaves."""

    reason: str
    detail: str = ""


Step: TypeAlias = Callable[[Batch], Batch]
Before: TypeAlias = Callable[[], Iterator[Batch]]
"""All batches of the dataset as the steps before leave them; may be called again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A step that is ready for the batches of one dataset.

    Attributes:
        notes: what a user should know beforehand, a sentence each.
    """

    step: Step
    notes: tuple[str, ...] = ()


class CurationStep(Protocol):
    """One option of `steplabel curate`: a frozen record, so that it can be saved and hashed."""

    @property
    def name(self) -> str:
        """How rejects and the summary call it."""
        ...

    def open(self, source: OutputFolder, before: Before) -> Opened:
        """Get ready for a dataset.

        Raises:
            ConfigError: it cannot work on this dataset; nothing was written yet.
        """
        ...


def require_own_steps(folder: OutputFolder) -> None:
    """Raise ConfigError if rows of a dataset have joined steps: their first errors count other places than others'."""
    compressed = origin(folder).compressed
    for policy in sorted(count_values(folder.paths("labels"), "label_policy")):
        if compressed or STEPS_JOINED & set(policy.split("_")):
            raise ConfigError(
                f"steps of {folder.path!r} were joined ({policy}), so its places count differently: compare datasets "
                f"before --merge and --compress"
            )


def row_key(row: LabelRow) -> RowKey:
    """Which solution of which problem a row labels."""
    return row.problem_id, row.solution_id


def without(batch: Batch, name: str, dropped: Mapping[RowKey, Dropped]) -> Batch:
    """The batch without some rows, each of which becomes a reject of the step `name`."""
    rejects = [
        Reject(
            record_id=row.solution_id,
            kind="solution",
            stage=f"{STAGE}.{name}",
            reason=why.reason,
            detail=why.detail or f"problem {row.problem_id}",
        )
        for row in batch.rows
        if (why := dropped.get(row_key(row))) is not None
    ]
    kept = tuple(row for row in batch.rows if row_key(row) not in dropped)
    return replace(batch, rows=kept, rejects=(*batch.rejects, *rejects))
