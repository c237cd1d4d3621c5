"""Native problem rows: every name data sets use, and every way in which a row can mislead."""

from __future__ import annotations

import base64
import hashlib
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import (
    AnswerType,
    DataError,
    GoldAnswer,
    NewlineSteps,
    PartKind,
    Problem,
    Role,
    StepKind,
    content_problem_id,
)
from steplabel.schemas.layouts.answers import answer_text, boxed, final_of_gsm8k, infer_type
from steplabel.schemas.layouts.problems import read_problem, read_solutions

Row = dict[str, Any]


def _read(**row: Any) -> Problem:
    return read_problem(row, line="f.jsonl:1")


def _gold(**row: Any) -> GoldAnswer | None:
    return _read(problem="q", **row).gold


NAMES: dict[str, Row] = {
    "native": {"id": "7", "problem": "q", "answer": "5"},
    "problem_id, question, gold_answer": {"problem_id": "7", "question": "q", "gold_answer": 5},
    "unique_id, prompt, final_answer": {"unique_id": "7", "prompt": "q", "final_answer": 5.0},
    "empty fields are not taken": {
        "id": "",
        "unique_id": 7,
        "problem": None,
        "question": "q",
        "answer": "",
        "final_answer": "5",
    },
    "a list with one answer": {"id": 7, "problem": "q", "answer": ["5"]},
}


@pytest.mark.parametrize("row", NAMES.values(), ids=NAMES)
def test_names(row: Row) -> None:
    """Whatever the fields are called, the problem is the same."""
    assert read_problem(row, line="l") == Problem(id="7", text="q", gold=GoldAnswer(text="5"))


def test_other_fields() -> None:
    """Subject, licence, split, group and source are read under both spellings."""
    one = _read(id="1", problem="q", subject="algebra", license="MIT", split="test", group_id="g", source="s")
    two = _read(id="1", problem="q", domain="algebra", licence="MIT", split="test", group_id="g", source="s")
    assert one == two
    assert (one.domain, one.licence, one.split, one.group_id, one.source) == (
        "algebra",
        "MIT",
        "test",
        "g",
        "s",
    )
    assert read_problem({"problem": "q"}, line="l", source="given").source == "given"
    assert read_problem({"problem": "q", "source": "own"}, line="l", source="given").source == "own"


def test_what_is_not_taken_is_kept() -> None:
    """Unknown fields, and known ones that lost to another name, stay in source_row; nothing vanishes."""
    problem = _read(problem="q", prompt="template", answer="5", final_answer="6", level=3, tags=["é"], id="1")
    assert json.loads(problem.source_row) == {
        "prompt": "template",
        "final_answer": "6",
        "level": 3,
        "tags": ["é"],
    }
    assert _read(id="1", problem="q").source_row == ""


EXTRAS = st.none() | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(), EXTRAS))
def test_any_extra_field_is_kept(extra: Row) -> None:
    """Whatever else a row holds, lone surrogates included, comes back from source_row."""
    extra = {f"x{name}": value for name, value in extra.items()}
    kept = _read(problem="q", **extra).source_row
    assert (json.loads(kept) if kept else {}) == extra
    assert kept.encode().decode() == kept


def test_values_without_json_form_are_shown() -> None:
    """Bytes, dates and NaN in a Parquet row do not cost the row, and the JSON stays readable by anyone."""
    assert json.loads(_read(problem="q", score=float("nan")).source_row) == {"score": "NaN"}
    assert json.loads(_read(problem="q", image=b"ab").source_row) == {"image": "b'ab'"}


def test_derived_ids() -> None:
    """Without an id a problem is called by what it asks: files agree, and answers do not matter."""
    assert _read(problem="q", answer=1).id == _read(question="q", answer=2, source="s").id
    assert _read(problem="q").id == content_problem_id("q")
    assert _read(problem="q").id != _read(problem="r").id
    assert _read(problem="q", choices=["a", "b"]).id != _read(problem="q", choices=["a", "c"]).id


ANSWERS: dict[str, tuple[Any, str, AnswerType]] = {
    "gsm8k": ("48/2 = <<48/2=24>>24\n#### 72", "72", AnswerType.NUMBER),
    "gsm8k, last mark counts": ("#### 1\n#### 1,234", "1,234", AnswerType.NUMBER),
    "int": (72, "72", AnswerType.NUMBER),
    "zero": (0, "0", AnswerType.NUMBER),
    "float that was an int": (72.0, "72", AnswerType.NUMBER),
    "float": (2.5, "2.5", AnswerType.NUMBER),
    "large float": (1e20, "1e+20", AnswerType.NUMBER),
    "decimal": (Decimal("2.50"), "2.50", AnswerType.NUMBER),
    "negative": ("-3.5", "-3.5", AnswerType.NUMBER),
    "money": ("$1,234.00", "$1,234.00", AnswerType.NUMBER),
    "percent": ("40%", "40%", AnswerType.NUMBER),
    "fraction": ("3/4", "3/4", AnswerType.NUMBER),
    "bad thousands": ("1,23", "1,23", AnswerType.EXPRESSION),
    "surrounding space": (" 5\n", "5", AnswerType.NUMBER),
    "latex": ("\\frac{1}{4}", "\\frac{1}{4}", AnswerType.EXPRESSION),
    "polynomial": ("2x+3", "2x+3", AnswerType.EXPRESSION),
    "interval": ("[0, 1)", "[0, 1)", AnswerType.EXPRESSION),
    "function": ("sin(x)/2", "sin(x)/2", AnswerType.EXPRESSION),
    "imaginary": ("-i", "-i", AnswerType.EXPRESSION),
    "word": ("Evelyn", "Evelyn", AnswerType.TEXT),
    "latex word": ("\\text{Evelyn}", "\\text{Evelyn}", AnswerType.TEXT),
    "letter without choices": ("B", "B", AnswerType.TEXT),
    "number with words": ("5 apples", "5 apples", AnswerType.TEXT),
    "clock": ("5:30", "5:30", AnswerType.TEXT),
    "bool": (True, "true", AnswerType.TEXT),
    "long": ("1+" * 600 + "1", "1+" * 600 + "1", AnswerType.TEXT),
}


@pytest.mark.parametrize(("value", "text", "type_"), ANSWERS.values(), ids=ANSWERS)
def test_answers(value: Any, text: str, type_: AnswerType) -> None:
    """The gold answer is taken as the data set writes it; words are never taken for algebra."""
    assert _gold(answer=value) == GoldAnswer(text=text, type=type_)


@pytest.mark.parametrize("row", [{}, {"answer": None}, {"answer": ""}, {"answer": []}], ids=str)
def test_no_answer(row: Row) -> None:
    """A row without an answer is a problem without gold, not a problem with an empty one."""
    assert _gold(**row) is None


def test_stated_type_rules() -> None:
    """The data set knows better than any inference."""
    assert _gold(answer="72", answer_type="text") == GoldAnswer(text="72", type=AnswerType.TEXT)
    assert _gold(answer="", answer_type="formal_goal") == GoldAnswer(text="", type=AnswerType.FORMAL_GOAL)


def test_references() -> None:
    """A GSM8K answer is its own reference; a reference's #### or last boxed part gives a missing answer."""
    gsm8k = _read(problem="q", answer="a\n#### 5")
    assert (gsm8k.reference_solution, gsm8k.gold) == ("a\n#### 5", GoldAnswer(text="5"))
    both = _read(problem="q", answer="#### 5", solution="s")
    assert (both.reference_solution, both.gold) == ("s", GoldAnswer(text="5"))
    boxed_row = _read(problem="q", solution="so \\boxed{1} then \\boxed{\\frac{1}{2}}.")
    assert boxed_row.gold == GoldAnswer(text="\\frac{1}{2}", type=AnswerType.EXPRESSION)
    assert _read(problem="q", reference_solution="s").gold is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\boxed{5}", "5"),
        ("\\boxed{{a}{b}}", "{a}{b}"),
        ("\\boxed{5", ""),
        ("none", ""),
        ("\\boxed{ 1 } }", "1"),
    ],
    ids=str,
)
def test_boxed(text: str, expected: str) -> None:
    """Braces balance, and a box that never closes gives nothing."""
    assert boxed(text) == expected


@pytest.mark.parametrize("answer", ["C", "c", "(C)", "C.", " C ", 2, "30", ["C"]], ids=str)
def test_choices(answer: Any) -> None:
    """Letter, 0-based index (MMLU) or text of the choice: the gold is its letter, and a guess has 1 in 4."""
    problem = _read(problem="How many?", choices=["10", "20", "30", "40"], answer=answer)
    assert problem.gold == GoldAnswer(text="C", type=AnswerType.CHOICE, chance=0.25)
    assert problem.text == "How many?\n\nA. 10\nB. 20\nC. 30\nD. 40"


def test_choices_that_stand_in_the_question_are_not_repeated() -> None:
    """A question that lists its options is left as it is."""
    assert _read(problem="Is it (A) red or (B) blue?", choices=["red", "blue"], answer="B").text.count("red") == 1


def test_choices_of_arc() -> None:
    """ARC's labels may be digits: label 2 is the second choice, whatever the texts say."""
    problem = _read(problem="q", choices={"text": ["x", "y", "z"], "label": ["1", "2", "3"]}, answer="2")
    assert problem.gold == GoldAnswer(text="B", type=AnswerType.CHOICE, chance=1 / 3)
    assert _gold(choices={"A": "x", "B": "y"}, answer="y") == GoldAnswer(text="B", type=AnswerType.CHOICE, chance=0.5)


def test_choices_by_other_ways() -> None:
    """A boxed letter answers; a stated type keeps the answer as it is; without an answer there is no gold."""
    assert _gold(choices=["x", "y"], solution="so \\boxed{B}") == GoldAnswer(
        text="B", type=AnswerType.CHOICE, chance=0.5
    )
    assert _gold(choices=["x", "y"], answer="y", answer_type="text") == GoldAnswer(text="y", type=AnswerType.TEXT)
    assert _gold(choices=["x", "y"]) is None
    assert _gold(choices=["It rains.", "No."], answer="It rains.") == GoldAnswer(
        text="A", type=AnswerType.CHOICE, chance=0.5
    )


def test_chat() -> None:
    """Chat prompts stay turns; the user's words are the plain text; images go by the hash of their bytes."""
    url = "data:image/png;base64," + base64.b64encode(b"picture").decode()
    digest = hashlib.sha256(b"picture").hexdigest()
    turns = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": url}},
            ],
        },
    ]
    problem = _read(prompt=turns, answer="cat")
    assert problem.text == "What is this?"
    assert [m.role for m in problem.messages] == [Role.SYSTEM, Role.USER]
    image = problem.messages[1].parts[1]
    assert (image.kind, image.sha256, image.uri) == (PartKind.IMAGE, digest, url)
    named = [
        {
            "role": "user",
            "content": [{"type": "image", "sha256": digest, "uri": "file://elsewhere"}, "What is this?"],
        }
    ]
    assert _read(prompt=named).messages[0].parts[0].sha256 == digest


def test_chat_choices_are_shown() -> None:
    """Options reach the model in a chat as well."""
    problem = _read(prompt=[{"role": "user", "content": "Which?"}], choices=["x", "y"], answer="A")
    assert [p.text for p in problem.messages[-1].parts] == ["Which?", "A. x\nB. y"]


def test_tests_and_tools() -> None:
    """Unit tests are the answer of a code problem; tools are passed on with their schema as text."""
    problem = _read(
        problem="q",
        tests=["assert f(1) == 2", {"code": "assert f(2) == 3", "name": "two"}],
        tools=[{"type": "function", "function": {"name": "run", "parameters": {"type": "object"}}}],
    )
    assert problem.gold == GoldAnswer(text="", type=AnswerType.UNIT_TESTS)
    assert [t.name for t in problem.tests] == ["", "two"]
    assert problem.tools[0].parameters_json == '{"type": "object"}'


def _said(part: Row) -> Row:
    return {"prompt": [{"role": "user", "content": [part]}]}


BAD: dict[str, tuple[Any, str]] = {
    "not an object": (["q"], "must be an object"),
    "no question": ({"text": "q"}, "give one of problem, question"),
    "blank question": ({"problem": "  "}, "problem text: is empty"),
    "question is a number": ({"problem": 5}, "text or a list of messages"),
    "id is a list": ({"id": [1], "problem": "q"}, "id|problem_id"),
    "id is a bool": ({"id": True, "problem": "q"}, "whole number"),
    "NUL": ({"problem": "a\x00"}, r"U\+0000"),
    "lone surrogate": ({"problem": "\ud800"}, "surrogate"),
    "two answers": ({"problem": "q", "answer": ["1", "2"]}, "one text or number"),
    "answer is an object": ({"problem": "q", "answer": {"v": 1}}, "one text or number"),
    "answer is NaN": ({"problem": "q", "answer": float("nan")}, "nothing equals"),
    "answer is infinite": ({"problem": "q", "answer": Decimal("inf")}, "nothing equals"),
    "answer is huge": ({"problem": "q", "answer": 10**5000}, "thousand digits"),
    "answer is long": ({"problem": "q", "answer": "a" * 20_001}, "20,001"),
    "unknown type": ({"problem": "q", "answer": "1", "answer_type": "int"}, "none of number, expression"),
    "type choice without choices": (
        {"problem": "q", "answer": "A", "answer_type": "choice"},
        "needs `choices`",
    ),
    "one choice": ({"problem": "q", "answer": "A", "choices": ["x"]}, "2 to 26"),
    "equal choices": ({"problem": "q", "answer": "A", "choices": ["x", "x"]}, "same text"),
    "choices are a text": ({"problem": "q", "answer": "A", "choices": "AB"}, "list of texts"),
    "answer is no choice": ({"problem": "q", "answer": "E", "choices": ["x", "y"]}, "none of the 2"),
    "index past the choices": ({"problem": "q", "answer": 2, "choices": ["x", "y"]}, "none of the 2"),
    "index or text": ({"problem": "q", "answer": 1, "choices": ["1", "2"]}, "give its letter"),
    "labels and texts differ": (
        {"problem": "q", "choices": {"text": ["x", "y"], "label": ["A"]}},
        "1 labels",
    ),
    "chat ends with the solution": (
        {"prompt": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "5"}]},
        "assistant turn",
    ),
    "unknown role": ({"prompt": [{"role": "human", "content": "q"}]}, "'human' is none of"),
    "message without role": ({"prompt": [{"content": "q"}]}, "role, content"),
    "image without hash": (
        _said({"type": "image_url", "image_url": {"url": "http://x"}}),
        "sha256",
    ),
    "broken data URL": (
        _said({"type": "image", "url": "data:a;base64,?"}),
        "not base64",
    ),
    "audio": (_said({"type": "audio"}), "'audio'"),
    "test without code": ({"problem": "q", "tests": [{"name": "x"}]}, "code"),
    "tool without name": ({"problem": "q", "tools": [{}]}, "tool must be"),
    "domain is a list": ({"problem": "q", "domain": ["x"]}, "must be a text"),
}


@pytest.mark.parametrize(("row", "message"), BAD.values(), ids=BAD)
def test_bad_rows(row: Any, message: str) -> None:
    """A row that cannot be read faithfully is refused with its line, its field, and what would be right."""
    with pytest.raises(DataError, match=message) as caught:
        read_problem(row, line="f.jsonl:12")
    assert str(caught.value).startswith("f.jsonl:12: ")


def test_deep_rows() -> None:
    """A row nested past recursion is refused, not a crash."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(DataError, match="JSON"):
        _read(problem="q", x=deep)


_KEYS = [
    "text",
    "role",
    "content",
    "type",
    "url",
    "image_url",
    "sha256",
    "name",
    "code",
    "label",
    "steps",
    "kind",
]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=8,
)
FIELDS = [
    "id",
    "problem",
    "answer",
    "choices",
    "answer_type",
    "solution",
    "tests",
    "tools",
    "split",
    "solutions",
]
_PART = st.dictionaries(st.sampled_from(_KEYS), JSON_VALUES).map(lambda part: {**part, "type": "image"})
_TURN = st.fixed_dictionaries({"role": st.just("user"), "content": JSON_VALUES | st.lists(_PART, max_size=2)})


def _read_or_refused(row: Any) -> None:
    try:
        problem = read_problem(row, line="l")
        read_solutions(row, problem, NewlineSteps())
    except DataError:
        return
    assert problem.id


@given(st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES), st.booleans())
@settings(max_examples=300)
def test_any_row_is_read_or_refused(row: Row, asked: bool) -> None:
    """Whatever a file holds, the answer is a problem or a DataError."""
    _read_or_refused({**row, "problem": "q"} if asked else row)


@given(st.lists(_TURN, max_size=2))
@settings(max_examples=200)
def test_any_chat_is_read_or_refused(turns: list[Row]) -> None:
    """The same for chats with parts of any shape."""
    _read_or_refused({"prompt": turns})


@pytest.mark.parametrize("field", FIELDS)
@given(value=JSON_VALUES)
@settings(max_examples=50)
def test_any_field_is_read_or_refused(field: str, value: Any) -> None:
    """The same with one field at a time astray."""
    _read_or_refused({"question": "q", field: value})


@given(st.text(max_size=30))
def test_inference_never_fails(text: str) -> None:
    """Every text has a type, and words are never expressions."""
    assert infer_type(text) in AnswerType
    assert infer_type("abc" + "".join(c for c in text if c.isascii() and c.isalpha())) is AnswerType.TEXT
    assert final_of_gsm8k("x #### " + text.replace("#", "")) == text.replace("#", "").strip()


@given(st.integers(-(10**30), 10**30))
def test_integers_are_numbers(value: int) -> None:
    """Integers are exact, and numbers with or without separators."""
    assert answer_text(value) == str(value)
    assert infer_type(str(value)) is infer_type(f"{value:,}") is AnswerType.NUMBER


def test_solutions() -> None:
    """Texts are split; listed steps stay as they are listed; each entry is a solution of its own."""
    row = {
        "solutions": [
            "a\nb",
            {"text": "a\nb", "model": "m", "license": "MIT", "final_answer": 5.0},
            {"steps": ["a\nb", "c"], "generator": "g"},
            {"steps": ["a\n", "b"]},
            {"steps": ["a", "b"], "separator": " ки\n"},
            {"steps": [{"text": "f()", "kind": "tool_call"}, {"text": "5", "kind": "observation"}, "So 5."]},
        ]
    }
    problem = Problem(id="p", text="q")
    found = read_solutions(row, problem, NewlineSteps())
    assert [[s.text for s in f.steps] for f in found] == [
        ["a\n", "b"],
        ["a\n", "b"],
        ["a\nb\n\n", "c"],
        ["a\n", "b"],
        ["a ки\n", "b"],
        ["f()\n\n", "5\n\n", "So 5."],
    ]
    assert [f.policy for f in found] == ["", "m", "g", "", "", ""]
    assert (found[1].policy_licence, found[1].final_answer, found[0].final_answer) == ("MIT", "5", None)
    assert [s.kind for s in found[5].steps] == [StepKind.TOOL_CALL, StepKind.OBSERVATION, StepKind.TEXT]
    assert [s.labelable for s in found[5].steps] == [True, False, True]
    assert [f.index for f in found] == [0, 1, 2, 3, 4, 5]
    assert found[0].node_keys == found[1].node_keys == found[3].node_keys
    assert len({f.id for f in found}) == 6


@pytest.mark.parametrize("row", [{}, {"solutions": None}, {"solutions": []}], ids=str)
def test_no_solutions(row: Row) -> None:
    """Most rows bring none."""
    assert read_solutions(row, Problem(id="p", text="q"), NewlineSteps()) == ()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (5, "text or an object"),
        ("", "is empty"),
        ({"text": ""}, "is empty"),
        ({}, "is empty"),
        ({"text": 5}, "must be a text"),
        ({"steps": "ab"}, "must be a list"),
        ({"steps": []}, "is empty"),
        ({"steps": ["a", " "]}, "step 1: is empty"),
        ({"steps": ["a", 5]}, "text, kind"),
        ({"steps": [{"text": "a", "kind": "guess"}]}, "'guess' is none of"),
        ({"text": "a", "model": 5}, "must be a text"),
        ({"steps": ["a", "b"], "separator": 5}, "separator"),
    ],
    ids=str,
)
def test_bad_solutions(entry: Any, message: str) -> None:
    """A bad entry is refused with the problem and its place in the list."""
    with pytest.raises(DataError, match=message) as caught:
        read_solutions({"solutions": ["ok", entry]}, Problem(id="p", text="q"), NewlineSteps())
    assert "problem p, solution 1: " in str(caught.value)
    with pytest.raises(DataError, match="must be a list"):
        read_solutions({"solutions": "text"}, Problem(id="p", text="q"), NewlineSteps())


@pytest.mark.data
def test_gsm8k(data_dir: Path) -> None:
    """All of GSM8K's training problems are read, each with a number."""
    with (data_dir / "gsm8k" / "train.jsonl").open(encoding="utf-8") as lines:
        problems = [read_problem(json.loads(line), line=str(i)) for i, line in enumerate(lines)]
    assert {p.gold.type for p in problems if p.gold} == {AnswerType.NUMBER}
    assert all(p.gold and p.reference_solution.endswith(p.gold.text) for p in problems)
    assert len({p.id for p in problems}) == len(problems)


@pytest.mark.data
def test_math(data_dir: Path) -> None:
    """Of MATH's training answers few are texts, and those are words, letters, ratios and clock times."""
    rows = json.loads((data_dir / "math_train" / "problems_and_answers.json").read_text("utf-8"))
    golds = [read_problem(row, line=str(i)).gold for i, row in enumerate(rows)]
    texts = [g.text for g in golds if g and g.type is AnswerType.TEXT]
    assert golds.count(None) == sum(row["final_answer"] == "" for row in rows)
    assert len(texts) < 0.02 * len(golds)
    assert not [t for t in texts if "^" in t or "\\frac" in t]
