"""A chunk's evidence as Arrow columns, problem by problem: what labels are derived from without making records.

Only what counting and label rows want is read: no text of a rollout, nothing that says how it was sampled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steplabel.schemas import CheckedOutcome, Observation, Problem, Rollout, Solution
from steplabel.schemas.batches import BoolArray, IntArray
from steplabel.schemas.columns import NotColumnarError, coded_words, key_words, list_parts, one_array, positions
from steplabel.transforms.columnar.numbering import KeyRows, are_distinct, numbered
from steplabel.transforms.dataset import ChunkEntry, OutputFolder
from steplabel.transforms.io import read_arrow

ROLLOUTS = "rollouts"

_PROBLEMS = ("id", "text", "messages", "tools", "gold", "domain", "group_id", "split", "source", "licence")
COLUMNS: Mapping[str, tuple[type, tuple[str, ...]]] = {
    "problems": (Problem, (*_PROBLEMS, "source_row")),
    "solutions": (
        Solution,
        ("id", "problem_id", "steps", "node_keys", "policy", "policy_licence", "source", "final_answer"),
    ),
    ROLLOUTS: (Rollout, ("key", "node_key", "problem_id", "completer", "completion_tokens", "probe")),
    "outcomes": (
        CheckedOutcome,
        ("subject", "checker", "checker_version", "outcome", "reason", "answer", "problem_id"),
    ),
    "observations": (
        Observation,
        ("subject", "source", "source_version", "verdict", "score", "evidence", "cost_tokens", "problem_id"),
    ),
}
"""By table, its record and the columns that are read."""


def read_tables(folder: OutputFolder, chunk: ChunkEntry, names: Collection[str] = tuple(COLUMNS)) -> dict[str, Any]:
    """The columns of a chunk's evidence tables, by their names; a table that is not asked for is empty."""
    tables = {}
    for table, (record, columns) in COLUMNS.items():
        paths = [folder.join(f.path) for f in chunk.files if f.table == table and table in names]
        tables[table] = read_arrow(paths, record, columns)
    return tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one table that belong to problems which are labelled.

    Attributes:
        table: an Arrow table.
        problem: [len(table)], the row of the problem that each row belongs to.
    """

    table: Any
    problem: IntArray

    def __len__(self) -> int:
        return len(self.problem)

    def column(self, name: str) -> Any:
        """An Arrow column."""
        return self.table.column(name)

    def ints(self, name: str) -> IntArray:
        """A column of whole numbers."""
        return np.asarray(one_array(self.column(name)).to_numpy(zero_copy_only=False), dtype=np.int64)

    def where(self, wanted: BoolArray) -> Rows:
        """Some of the rows."""
        return self if wanted.all() else self.take(np.flatnonzero(wanted))

    def take(self, rows: IntArray) -> Rows:
        """These rows."""
        return Rows(table=self.table.take(rows), problem=self.problem[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceColumns:
    """The evidence of P problems with n solutions of S steps.

    Attributes:
        problems: an Arrow table, [P].
        solutions, rollouts, outcomes, observations: rows that belong to these problems.
        offsets: [n + 1], first step of each solution.
        steps: Arrow structs, [S].
        node_keys: Arrow strings, [S].
    """

    problems: Any
    solutions: Rows
    rollouts: Rows
    outcomes: Rows
    observations: Rows
    offsets: IntArray
    steps: Any
    node_keys: Any

    @property
    def step_problem(self) -> IntArray:
        """[S], the problem each step belongs to."""
        return np.repeat(self.solutions.problem, np.diff(self.offsets))

    @property
    def owner(self) -> IntArray:
        """[S], the solution each step belongs to."""
        return np.repeat(np.arange(len(self.solutions)), np.diff(self.offsets))


def evidence_columns(tables: Mapping[str, Any], *, without: Collection[str] = ()) -> EvidenceColumns:
    """Find out which rows belong to which problem; solutions are put into the order of their problems.

    Args:
        tables: Arrow tables by name, with the columns of `COLUMNS`.
        without: ids of problems that get no labels.

    Raises:
        NotColumnarError: two problems share an id, or as `one_array` does.
    """
    problems = tables["problems"]
    rows = {name: _owned(tables[name], problems, without) for name in COLUMNS if name != "problems"}
    solutions = rows["solutions"] = _in_order(rows["solutions"])
    (numbers,) = numbers_of([(problems.column("id"), np.zeros(len(problems), dtype=np.int64))])
    check_distinct(numbers, "problems")
    offsets, steps = list_parts(solutions.column("steps"))
    return EvidenceColumns(
        problems=problems, offsets=offsets, steps=steps, node_keys=list_parts(solutions.column("node_keys"))[1], **rows
    )


def numbers_of(columns: Sequence[tuple[Any, IntArray]]) -> list[IntArray]:
    """One numbering of all strings of some columns, each within its problem."""
    words: list[KeyRows] = key_words([column for column, _ in columns])
    return numbered([(keys, scopes) for keys, (_, scopes) in zip(words, columns, strict=True)])


def check_distinct(numbers: IntArray, what: str) -> None:
    """Raise NotColumnarError if two of them are equal."""
    if not are_distinct(numbers):
        raise NotColumnarError(f"two {what} have one id")


def _owned(table: Any, problems: Any, without: Collection[str]) -> Rows:
    codes, words = coded_words(table.column("problem_id"))
    place = positions(words, problems.column("id"))
    if without:
        place[[word in without for word in words.to_pylist()]] = -1
    problem = place[codes] if len(codes) else codes
    return Rows(table=table, problem=problem).where(problem >= 0)


def _in_order(solutions: Rows) -> Rows:
    if (np.diff(solutions.problem) >= 0).all():
        return solutions
    order = np.argsort(solutions.problem, kind="stable")
    return solutions.take(order)
