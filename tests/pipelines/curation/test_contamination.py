"""Problems of test sets leave, with all their solutions; test sets come in any layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from steplabel.pipelines.curation.contamination import Decontaminate
from steplabel.pipelines.curation.held_out import held_out, problem_text, read_held_out
from steplabel.schemas import ConfigError, DataError
from steplabel.transforms.dataset import OutputFolder
from steplabel.transforms.io import write_rows

LONG = "If seven bees visit nine flowers each and every flower gives three drops how many drops are there"


def written(path: Path, *rows: Any) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


def test_held_out_problems_leave(source: OutputFolder, curated, tmp_path: Path) -> None:
    """Whatever case, punctuation and surroundings; the rest stays."""
    texts = {row.problem_id: row.problem for row in source.read("labels")}
    leaked = sorted(texts)[:3]
    test_set = [{"question": f"(Hard!) {texts[id_].upper()} Thanks.", "answer": "1"} for id_ in leaked]
    path = written(tmp_path / "test.jsonl", *test_set)
    target, summary = curated(contamination=(path,))
    assert {row.problem_id for row in target.read("labels")} == set(texts) - set(leaked)
    assert [reason for reason, _ in summary.steps[0].dropped] == ["contaminated"]
    details = [r.detail for r in target.read("rejects") if r.reason == "contaminated"]
    assert all("of test test.jsonl:" in detail for detail in details)


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"problem": LONG}, id="native without an answer"),
        pytest.param({"question": LONG, "answer": "so it is #### 189"}, id="gsm8k"),
        pytest.param({"id": "gsm8k-1", "problem": LONG, "steps": ["a"], "label": -1}, id="processbench"),
        pytest.param({"question": LONG, "ground_truth": "189"}, id="gsm8k solutions"),
        pytest.param({"text": LONG}, id="plain text"),
        pytest.param({"input": LONG, "target": "189"}, id="input"),
        pytest.param({"messages": [{"role": "user", "content": LONG}]}, id="chat"),
        pytest.param({"problem": LONG, "answer": {"odd": 1}}, id="an answer of no known shape"),
        pytest.param({"question": {"problem": LONG, "ground_truth_answer": "189"}, "label": {}}, id="prm800k"),
        pytest.param({"idx": "1", "original_question": LONG, "modified_question": "?"}, id="prmbench"),
        pytest.param({"Problem": LONG, "Answer": 189}, id="capitals"),
        pytest.param({"QUESTION": LONG}, id="shouted"),
        pytest.param(
            {"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": LONG}]},
            id="sharegpt",
        ),
        pytest.param(
            {"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": LONG}]},
            id="prompt list",
        ),
        pytest.param(
            {"messages": [{"role": "user", "content": [{"type": "text", "text": LONG}]}], "tools": 5}, id="parts"
        ),
        pytest.param({"prompt": {"question": LONG}}, id="nested once more"),
    ],
)
def test_every_layout_has_its_text(row: dict[str, Any]) -> None:
    """All that counts is what is asked."""
    assert LONG in problem_text(row)


def test_what_the_assistant_said_is_no_question() -> None:
    """Nor is what the system was told: the first turn of a user is."""
    turns = [("system", "Be brief."), ("assistant", "Hello!"), ("user", LONG), ("user", "Well?")]
    assert problem_text({"conversations": [{"role": role, "content": text} for role, text in turns]}) == LONG
    assert problem_text({"conversations": [{"role": "assistant", "content": LONG}]}) == ""


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"text": ""},
        {"text": 5},
        {"problem": None},
        {"answer": "5"},
        {"question": {}},
        {"prompt": ["a"]},
        {"messages": [{"role": "user"}]},
    ],
    ids=str,
)
def test_rows_without_text(row: dict[str, Any]) -> None:
    """They say nothing, and are counted."""
    assert problem_text(row) == ""


def test_parquet_and_jsonl_alike(tmp_path: Path) -> None:
    """The same items; rows without text are counted, not searched for."""
    lines = written(tmp_path / "a.jsonl", {"text": LONG}, {"text": "   "}, {"answer": "5"})
    write_rows([{"text": LONG}], str(tmp_path / "b.parquet"))
    items, without = read_held_out(held_out(lines))
    assert ([item.text for item in items], without) == ([LONG], 2)
    items, without = read_held_out(held_out(str(tmp_path / "b.parquet")))
    assert ([item.text for item in items], without) == ([LONG], 0)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        pytest.param('{"text": "how many', "not JSON", id="cut"),
        pytest.param("[1]", "not an object but list", id="no object"),
    ],
)
def test_a_damaged_test_set(curated, tmp_path: Path, damage: str, said: str) -> None:
    """What cannot be read may be what has leaked: nothing is called clean by half a test set."""
    path = tmp_path / "t.jsonl"
    path.write_text(f"{json.dumps({'text': LONG})}\n{damage}\n")
    with pytest.raises(DataError, match=rf"t\.jsonl:2: {said}"):
        curated(contamination=(str(path),))
    assert not (tmp_path / "curated").exists()


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    """They are neither damage nor rows without text."""
    path = tmp_path / "t.jsonl"
    path.write_text(f"\n{json.dumps({'text': LONG})}\n  \n\n")
    items, without = read_held_out(held_out(str(path)))
    assert ([item.text for item in items], without) == ([LONG], 0)


def test_a_test_set_without_text(tmp_path: Path) -> None:
    """It cannot be searched for, and saying that nothing was found would be a lie."""
    with pytest.raises(ConfigError, match="no row of 1 holds a text"):
        read_held_out(held_out(written(tmp_path / "a.jsonl", {"answer": "5"})))


def test_items_that_are_too_short(source: OutputFolder, curated, tmp_path: Path) -> None:
    """All of them: an error. Some of them: a note, beside that of rows without text."""
    short = written(tmp_path / "short.jsonl", {"text": "two words"})
    with pytest.raises(ConfigError, match="nothing can be searched for"):
        curated(contamination=(short,))
    mixed = written(tmp_path / "mixed.jsonl", {"text": "two words"}, {"text": LONG}, {"text": ""})
    _, summary = curated(contamination=(short, mixed))
    assert summary.after.rows == summary.before.rows
    assert [note.split(":")[0] for note in summary.notes] == [
        "test set mixed",
        "2 of 3 test items are too short to be searched for",
    ]


def test_where_a_test_set_lies_is_not_what_it_is(tmp_path: Path) -> None:
    """The run's hash goes by content: a moved file goes on with the same output, a changed one does not."""
    (tmp_path / "x").mkdir()
    here, there = written(tmp_path / "t.jsonl", {"text": LONG}), written(tmp_path / "x" / "t.jsonl", {"text": LONG})
    assert held_out(here).content == held_out(there).content
    other = written(tmp_path / "x" / "u.jsonl", {"text": LONG + "?"})
    assert held_out(other).content != held_out(here).content
    assert Decontaminate(test_sets=(held_out(here),)).name == "contamination"
