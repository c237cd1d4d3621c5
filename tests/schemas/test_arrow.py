"""Tables hold exactly the records, through Parquet and `datasets` alike, and their schema is pinned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from steplabel.schemas import (
    ContentPart,
    DataError,
    GoldAnswer,
    LabelRow,
    Message,
    Problem,
    Role,
    SamplingParams,
    Solution,
    Step,
    Tool,
    UnitTest,
    make_solution,
)
from steplabel.schemas.arrow import TABLES, arrow_schema, from_table, schema_fingerprint, schema_text, to_table

Records = Mapping[type, SearchStrategy[Any]]

FULL = Problem(
    id="1",
    text="q\u2028",
    gold=GoldAnswer(text="5", chance=0.25),
    messages=(Message(role=Role.USER, parts=(ContentPart(text="a"), ContentPart(text=""))),),
    tests=(UnitTest(code="assert f()"),),
    tools=(Tool(name="t"),),
)
BARE = Problem(id="2", text="q")
STEPS = (Step(text="a\n"), Step(text="b", token_end=3))
SAMPLED = make_solution(BARE, STEPS, sampling=SamplingParams(stop=("x", "y")), token_ids=(1, 2), final_answer="")
IMPORTED = make_solution(BARE, STEPS)
MIXED: dict[str, tuple[type, list[Any]]] = {
    "problems with and without gold": (Problem, [FULL, BARE, FULL]),
    "no problem with gold": (Problem, [BARE, BARE]),
    "solutions sampled and imported": (Solution, [IMPORTED, SAMPLED, IMPORTED]),
    "only imported solutions": (Solution, [IMPORTED]),
}


@pytest.mark.parametrize("name", TABLES)
def test_schema_is_pinned(name: str, repository: Path) -> None:
    """A change of columns shows in review. If it only adds columns, write the new text to the file."""
    golden = repository / "tests" / "schemas" / "golden" / f"{name}.txt"
    assert schema_text(TABLES[name]) == golden.read_text("utf-8")


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@settings(max_examples=40)
def test_round_trip(name: str, records: Records, data: st.DataObject) -> None:
    """Records -> table -> records is the identity, and the table has exactly the derived schema."""
    rows = data.draw(st.lists(records[TABLES[name]], max_size=5))
    table = to_table(rows, TABLES[name])
    table.validate(full=True)
    assert table.schema == arrow_schema(TABLES[name])
    assert from_table(table, TABLES[name]) == rows


@pytest.mark.parametrize("name", TABLES)
@given(data=st.data())
@settings(max_examples=10)
def test_parquet_round_trip(name: str, records: Records, data: st.DataObject) -> None:
    """A Parquet file gives back the same schema, nullability included, and the same records."""
    rows = data.draw(st.lists(records[TABLES[name]], max_size=5))
    sink = pa.BufferOutputStream()
    pq.write_table(to_table(rows, TABLES[name]), sink)
    table = pq.read_table(pa.BufferReader(sink.getvalue()))
    assert table.schema == arrow_schema(TABLES[name])
    assert from_table(table, TABLES[name]) == rows


@pytest.mark.parametrize(("kind", "rows"), MIXED.values(), ids=MIXED)
def test_nested_nulls_through_datasets(kind: type, rows: list[Any], tmp_path: Path) -> None:
    """Optional structs, present or absent, come back through files that `datasets` reads."""
    path = tmp_path / "rows.parquet"
    pq.write_table(to_table(rows, kind), path)
    assert from_table(pq.read_table(path), kind) == rows
    loaded = _load(path, tmp_path)
    assert from_table(loaded.data.table, kind) == rows
    assert from_table(pa.Table.from_pylist(loaded.to_list()), kind) == rows


def _load(path: Path, tmp_path: Path) -> datasets.Dataset:
    return datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "c"))


def test_label_rows_through_datasets(label_row: Callable[..., LabelRow], tmp_path: Path) -> None:
    """Label rows come back, and people see plain columns: texts, lists and nulls."""
    rows = [label_row(), label_row(first_error=None, values=(None, None, 0.5), final_answer=None)]
    path = tmp_path / "rows.parquet"
    pq.write_table(to_table(rows, LabelRow), path)
    loaded = _load(path, tmp_path)
    assert from_table(loaded.data.table, LabelRow) == rows
    assert loaded[0]["labels"] == ["+", "+", "-"]
    assert loaded["first_error"][:] == [2, None]
    assert loaded[1]["values"] == [None, None, 0.5]


def test_concatenated_tables(label_row: Callable[..., LabelRow]) -> None:
    """Tables of many chunks read as one."""
    rows = [label_row(problem_id=str(i)) for i in range(6)]
    table = pa.concat_tables([to_table(rows[:2], LabelRow), to_table([], LabelRow), to_table(rows[2:], LabelRow)])
    assert from_table(table, LabelRow) == rows


class _Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Inner:
    a: int
    b: float | None = None
    c: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Old:
    id: str
    inner: _Inner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _New:
    id: str
    inner: _Inner | None = None
    colour: _Colour = _Colour.RED
    many: tuple[_Inner, ...] = field(default=())
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Breaking:
    id: str
    needed: str


OLD_ROWS = [_Old(id="1"), _Old(id="2", inner=_Inner(a=1, c=("x",)))]


def test_derivation() -> None:
    """Each kind of field has its one column type; only `| None` is nullable."""
    schema = arrow_schema(_New)
    inner = pa.struct(
        [
            pa.field("a", pa.int64(), nullable=False),
            pa.field("b", pa.float64()),
            pa.field("c", pa.list_(pa.field("element", pa.string(), nullable=False)), nullable=False),
        ]
    )
    assert schema.field("id") == pa.field("id", pa.string(), nullable=False)
    assert schema.field("inner") == pa.field("inner", inner)
    assert schema.field("colour") == pa.field("colour", pa.string(), nullable=False)
    many = pa.list_(pa.field("element", inner, nullable=False))
    assert schema.field("many") == pa.field("many", many, nullable=False)
    assert schema.field("note").nullable


def test_older_files_are_read() -> None:
    """Columns that an older file lacks take their defaults; columns not known are ignored."""
    table = to_table(OLD_ROWS, _Old)
    expected = [_New(id=row.id, inner=row.inner) for row in OLD_ROWS]
    assert from_table(table, _New) == expected
    assert from_table(to_table(expected, _New), _Old) == OLD_ROWS


def test_unions_of_old_and_new_files_are_read() -> None:
    """Where a reader filled a newer column with nulls for old rows, the default takes their place."""
    new = _New(id="3", many=(_Inner(a=2, b=0.5),), note="n")
    tables = [to_table(OLD_ROWS, _Old), to_table([new], _New)]
    union = pa.concat_tables(tables, promote_options="default")
    assert from_table(union, _New) == [*(_New(id=row.id, inner=row.inner) for row in OLD_ROWS), new]


def test_a_missing_column_without_default_is_refused() -> None:
    """Nothing is invented for a column that must be there."""
    with pytest.raises(DataError, match="needed"):
        from_table(to_table(OLD_ROWS, _Old), _Breaking)


def test_fingerprint_follows_the_schema() -> None:
    """The fingerprint is 32 hex digits, stable, and another one for another schema."""
    prints = {schema_fingerprint(kind) for kind in TABLES.values()}
    assert len(prints) == len(TABLES)
    assert schema_fingerprint(_Old) != schema_fingerprint(_New)
    assert schema_fingerprint(_Old) == schema_fingerprint(_Old)
    assert all(len(p) == 32 for p in prints)


def _bad_row(**changes: Any) -> _Old:
    row = _Old(id="1")
    for name, value in changes.items():
        object.__setattr__(row, name, value)
    return row


@pytest.mark.parametrize(
    "row",
    [
        _bad_row(id=None),
        _bad_row(id=5),
        _bad_row(inner=_Inner(a=2**70)),
        _bad_row(id="\ud800"),
        _bad_row(inner=object()),
    ],
    ids=["None", "int for text", "past 64 bits", "lone surrogate", "no record"],
)
def test_values_that_do_not_fit(row: _Old) -> None:
    """A value that is not what its field says is refused, not bent."""
    with pytest.raises(DataError):
        to_table([row], _Old)


def test_wrong_columns() -> None:
    """A table of something else is refused with the column's name."""
    with pytest.raises(DataError, match="id"):
        from_table(pa.table({"id": [1, 2]}), _Old)
    with pytest.raises(DataError, match="_Old"):
        from_table(pa.table({"x": [1]}), _Old)


@pytest.mark.parametrize("annotation", [dict[str, str], tuple[int, str], "int | str"], ids=str)
def test_types_without_a_column(annotation: Any) -> None:
    """Fields that Arrow has no one type for are refused when the schema is derived."""
    record = type("R", (), {"__annotations__": {"x": annotation}})
    with pytest.raises(TypeError, match="no one column type"):
        arrow_schema(dataclass(record))


def test_every_row_field_is_a_column() -> None:
    """No field of a table's record is left out."""
    for kind in TABLES.values():
        assert arrow_schema(kind).names == [f.name for f in fields(kind)]


def test_a_large_table(label_row: Callable[..., LabelRow]) -> None:
    """Ten thousand label rows become a table and come back as they were."""
    rows = [replace(label_row(), problem_id=str(i)) for i in range(10_000)]
    assert from_table(to_table(rows, LabelRow), LabelRow) == rows
