"""A committed chunk back as evidence: the tables joined by their problems."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from steplabel.schemas import Evidence, LabelRow, Solution
from steplabel.schemas.arrow import TABLES
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.io import read_records


def read_table(folder: OutputFolder, chunk: ChunkEntry, table: str) -> list[Any]:
    """The records of one table of one chunk."""
    paths = [folder.join(f.path) for f in chunk.files if f.table == table]
    return list(read_records(paths, TABLES[table]))


PARTS = ("solutions", "rollouts", "outcomes", "observations")
"""Tables with what is known of problems."""


def read_evidence(folder: OutputFolder, chunk: ChunkEntry, *, tables: Sequence[str] = PARTS) -> list[Evidence]:
    """What these tables know about each problem of a chunk, in the order of the problems' table."""
    parts: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for table in tables:
        for record in read_table(folder, chunk, table):
            parts[record.problem_id][table].append(record)
    return [
        Evidence(problem=problem, **{table: tuple(found) for table, found in parts[problem.id].items()})
        for problem in read_table(folder, chunk, "problems")
    ]


def read_labelled(folder: OutputFolder, chunk: ChunkEntry) -> Iterator[tuple[LabelRow, Solution]]:
    """The label rows of a chunk, each with its whole solution: a policy may have cut the row."""
    whole = {(solution.problem_id, solution.id): solution for solution in read_table(folder, chunk, "solutions")}
    return ((row, whole[row.problem_id, row.solution_id]) for row in read_table(folder, chunk, "labels"))
