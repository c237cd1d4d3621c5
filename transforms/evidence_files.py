"""A committed chunk back as evidence: the tables joined by their keys, problem by problem."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from steplabel.schemas import Evidence
from steplabel.schemas.arrow import TABLES
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.io import read_records


def read_table(folder: OutputFolder, chunk: ChunkEntry, table: str) -> list[Any]:
    """The records of one table of one chunk."""
    paths = [folder.join(f.path) for f in chunk.files if f.table == table]
    return list(read_records(paths, TABLES[table]))


def read_evidence(folder: OutputFolder, chunk: ChunkEntry) -> list[Evidence]:
    """Everything known about each problem of a chunk, in the order of the problems' table."""
    tables = {t: read_table(folder, chunk, t) for t in ("solutions", "rollouts", "outcomes", "observations")}
    owner = _owners(tables)
    parts: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for table, records in tables.items():
        for record in records:
            for problem in owner[_subject(record)]:
                parts[problem][table].append(record)
    return [
        Evidence(problem=problem, **{table: tuple(found) for table, found in parts[problem.id].items()})
        for problem in read_table(folder, chunk, "problems")
    ]


def _subject(record: Any) -> str:
    """What a record is about: outcomes and observations name it, solutions and rollouts are it."""
    for name in ("subject", "id", "key"):
        if hasattr(record, name):
            return str(getattr(record, name))
    raise TypeError(f"{type(record).__name__} is no evidence")


def _owners(tables: Mapping[str, list[Any]]) -> Mapping[str, tuple[str, ...]]:
    """From subject to problems: two problems that ask the same share the keys of their nodes and rollouts."""
    owners: dict[str, dict[str, None]] = defaultdict(dict)
    for solution in tables["solutions"]:
        for subject in (solution.id, *solution.node_keys):
            owners[subject][solution.problem_id] = None
    for rollout in tables["rollouts"]:
        owners[rollout.key][rollout.problem_id] = None
    return defaultdict(tuple, {subject: tuple(problems) for subject, problems in owners.items()})
