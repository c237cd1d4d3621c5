"""CommitDataset: one step that moves a chunk's staged files to their places and extends the manifest."""

from __future__ import annotations

from collections.abc import Sequence

import apache_beam as beam

from steplabel.schemas import Reason, Reject
from steplabel.transforms.dataset import ChunkName, FileEntry, OutputFolder

TO_BE_DONE_AGAIN = frozenset({Reason.BUDGET, Reason.ENGINE_ERROR})
"""Reasons that running the same command again may take away: a chunk with one of them is not complete."""


def commit_chunk(
    _: None, files: Sequence[FileEntry], unfinished: int, folder: OutputFolder, chunk: ChunkName
) -> ChunkName:
    """Commit; a retry after success changes nothing."""
    folder.commit(folder.require_manifest(), chunk, files, complete=unfinished == 0)
    return chunk


def is_unfinished(reject: Reject) -> bool:
    """Whether the work behind a reject should be tried again."""
    return reject.reason in TO_BE_DONE_AGAIN


class CommitDataset(beam.PTransform):  # type: ignore[misc]
    """(staged files, tuple of rejects) -> the name of the committed chunk, once."""

    def __init__(self, folder: OutputFolder, chunk: ChunkName) -> None:
        super().__init__()
        self.folder, self.chunk = folder, chunk

    def expand(self, inputs: tuple[beam.PCollection, tuple[beam.PCollection, ...]]) -> beam.PCollection:
        """A single element that waits for all files and for the count of unfinished work."""
        staged, rejects = inputs
        unfinished = (
            rejects
            | "Rejects" >> beam.Flatten()
            | "Unfinished" >> beam.Filter(is_unfinished)
            | "Count" >> beam.combiners.Count.Globally()
        )
        return (
            staged.pipeline
            | "Once" >> beam.Create([None])
            | "Commit"
            >> beam.Map(
                commit_chunk,
                files=beam.pvalue.AsList(staged),
                unfinished=beam.pvalue.AsSingleton(unfinished),
                folder=self.folder,
                chunk=self.chunk,
            ).with_output_types(ChunkName)
        )
