"""What records refuse, and what they promise about themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import steplabel.schemas as vocabulary
from steplabel.schemas import (
    AfterError,
    AnswerType,
    ConfigError,
    ContentPart,
    DataError,
    GoldAnswer,
    GoldSteps,
    LabelTarget,
    MissingExtra,
    NothingLabelled,
    Observation,
    PartKind,
    Problem,
    SamplingParams,
    Solution,
    Step,
    StepKind,
    SteplabelError,
    StepLabels,
    StepMark,
    Tool,
    UnitTest,
    make_solution,
    node_key,
    path_keys,
)
from steplabel.schemas.validation import check_between, check_same_length, check_text

PROBLEM = Problem(id="p", text="q")


def _labels(**changes: Any) -> StepLabels:
    plain: dict[str, Any] = {
        "solution_id": "s",
        "policy": "hard",
        "policy_version": "1",
        "target": LabelTarget.REACHABLE,
        "marks": (StepMark.POSITIVE, StepMark.NEGATIVE),
        "values": (1.0, 0.0),
        "lows": (1.0, None),
        "highs": (1.0, None),
        "first_error": 1,
        "after_error": AfterError.CUT,
    }
    return StepLabels(**{**plain, **changes})


BAD: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "temperature below 0": (lambda: SamplingParams(temperature=-1), ConfigError, "temperature=-1.0"),
    "temperature NaN": (lambda: SamplingParams(temperature=float("nan")), ConfigError, "temperature=nan"),
    "top_p 0": (lambda: SamplingParams(top_p=0), ConfigError, "top_p"),
    "top_k below 0": (lambda: SamplingParams(top_k=-1), ConfigError, "top_k"),
    "min_p over 1": (lambda: SamplingParams(min_p=1.1), ConfigError, "min_p"),
    "no tokens": (lambda: SamplingParams(max_tokens=0), ConfigError, "max_tokens"),
    "empty stop": (lambda: SamplingParams(stop=("a", "")), ConfigError, "stop"),
    "stop as text": (lambda: SamplingParams(stop="ab"), ConfigError, "tuple"),  # type: ignore[arg-type]
    "repetition penalty 0": (lambda: SamplingParams(repetition_penalty=0), ConfigError, "repetition_penalty"),
    "repetition penalty inf": (
        lambda: SamplingParams(repetition_penalty=float("inf")),
        ConfigError,
        "repetition_penalty",
    ),
    "image without hash": (lambda: ContentPart(kind=PartKind.IMAGE, uri="x"), DataError, "sha256"),
    "empty number": (lambda: GoldAnswer(text=" "), DataError, "gold answer"),
    "chance over 1": (lambda: GoldAnswer(text="1", chance=1.5), DataError, "chance"),
    "endless answer": (lambda: GoldAnswer(text="1" * 20_001), DataError, "20,001"),
    "problem without id": (lambda: Problem(id="", text="q"), DataError, "problem id"),
    "problem that asks nothing": (lambda: Problem(id="p", text=" "), DataError, "problem text"),
    "problem with NUL": (lambda: Problem(id="p", text="a\x00"), DataError, "U\\+0000 at character 1"),
    "problem with surrogate": (lambda: Problem(id="p", text="\udc00"), DataError, "lone surrogate"),
    "source row with surrogate": (
        lambda: Problem(id="p", text="q", source_row="\ud800"),
        DataError,
        "source row",
    ),
    "problem over-long": (lambda: Problem(id="p", text="a" * 1_000_001), DataError, "1,000,001"),
    "test without code": (lambda: UnitTest(code=" "), DataError, "unit test"),
    "tool without name": (lambda: Tool(name=""), DataError, "tool name"),
    "step without text": (lambda: Step(text=""), DataError, "no text"),
    "step that is bytes": (lambda: Step(text=b"a"), DataError, "expected text"),  # type: ignore[arg-type]
    "solution without steps": (lambda: make_solution(PROBLEM, ()), DataError, "no steps"),
    "keys and steps differ": (
        lambda: Solution(id="s", problem_id="p", steps=(Step(text="a"),), node_keys=("k", "l")),
        DataError,
        "1 steps, 2 node keys",
    ),
    "score over 1": (
        lambda: Observation(subject="s", source="judge", source_version="1", score=1.2),
        DataError,
        "score of judge",
    ),
    "score NaN": (
        lambda: Observation(subject="s", source="judge", source_version="1", score=float("nan")),
        DataError,
        "score of judge",
    ),
    "values of another length": (lambda: _labels(values=(1.0,)), DataError, "values has 1 entries"),
    "lows of another length": (lambda: _labels(lows=()), DataError, "lows has 0 entries"),
    "NaN for no evidence": (lambda: _labels(values=(1.0, float("nan"))), DataError, "never NaN"),
    "first error past the end": (lambda: _labels(first_error=2), DataError, "0-based"),
    "first error -2": (lambda: _labels(first_error=-2), DataError, "-1 for none"),
    "gold label past the end": (
        lambda: GoldSteps(id="g", problem="q", steps=("a",), first_error=1),
        DataError,
        "0-based",
    ),
    "gold without steps": (
        lambda: GoldSteps(id="g", problem="q", steps=(), first_error=-1),
        DataError,
        "no steps",
    ),
    "gold with a blank step": (
        lambda: GoldSteps(id="g", problem="q", steps=("a", " "), first_error=-1),
        DataError,
        "step 1",
    ),
}


@pytest.mark.parametrize(("make", "error", "message"), BAD.values(), ids=BAD)
def test_refuses(make: Callable[[], object], error: type[Exception], message: str) -> None:
    """A value that no later stage can carry is refused where it enters, and the message names it."""
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("type_", [AnswerType.UNIT_TESTS, AnswerType.FORMAL_GOAL])
def test_gold_may_live_elsewhere(type_: AnswerType) -> None:
    """Unit tests and formal goals are the answer: its text may be empty."""
    assert GoldAnswer(text="", type=type_).text == ""


def test_problem_without_gold() -> None:
    """A data set that gives no answer gives a problem without gold, not an invented one."""
    assert PROBLEM.gold is None
    assert PROBLEM.group_id == "p"


def test_observations_are_never_labelable() -> None:
    """The policy model did not write tool output, so nobody labels it."""
    assert not Step(text="out", kind=StepKind.OBSERVATION, labelable=True).labelable
    assert Step(text="out", kind=StepKind.CODE).labelable


@given(data=st.data())
def test_solution_is_its_steps(records: Mapping[type, SearchStrategy[Any]], data: st.DataObject) -> None:
    """Spans are contiguous, prefixes grow to the whole text, and nodes form a path from the root."""
    problem = data.draw(records[Problem])
    steps = tuple(data.draw(st.lists(records[Step], min_size=1, max_size=4)))
    solution = make_solution(problem, steps)
    assert [solution.text[s.start : s.end] for s in solution.steps] == [s.text for s in steps]
    assert solution.prefix(0) == ""
    assert solution.prefix(len(steps)) == solution.text
    nodes = solution.nodes(problem.root_key)
    assert [n.parent_key for n in nodes] == [problem.root_key, *solution.node_keys[:-1]]
    assert [n.depth for n in nodes] == list(range(1, len(steps) + 1))
    assert all(n.key == node_key(n.parent_key, n.step) for n in nodes)


@given(data=st.data())
def test_shared_prefixes_share_nodes(records: Mapping[type, SearchStrategy[Any]], data: st.DataObject) -> None:
    """Two solutions share exactly the nodes of the steps with which both begin."""
    one, two = (data.draw(st.lists(records[Step], min_size=1, max_size=3)) for _ in range(2))
    common = data.draw(st.lists(records[Step], max_size=2))
    left, right = path_keys("r", common + one), path_keys("r", common + two)
    same = [(a.kind, a.text) == (b.kind, b.text) for a, b in zip(common + one, common + two, strict=False)]
    shared = same.index(False) if False in same else len(same)
    assert [a == b for a, b in zip(left, right, strict=False)] == [i < shared for i in range(len(same))]


def test_equal_texts_sampled_twice_are_two_solutions() -> None:
    """Index, seed and policy tell samples apart; their nodes are the same."""
    steps = (Step(text="a"),)
    solutions = [
        make_solution(PROBLEM, steps),
        make_solution(PROBLEM, steps, index=1),
        make_solution(PROBLEM, steps, seed=1),
        make_solution(PROBLEM, steps, policy="m"),
        make_solution(PROBLEM, steps, sampling=SamplingParams()),
    ]
    assert len({s.id for s in solutions}) == len(solutions)
    assert len({s.node_keys for s in solutions}) == 1


def test_final_answer_is_no_part_of_the_id() -> None:
    """A better answer extractor does not make another solution."""
    steps = (Step(text="a"),)
    assert make_solution(PROBLEM, steps, final_answer="1").id == make_solution(PROBLEM, steps).id


@pytest.mark.parametrize("bad", ["\x00", "\x08", "\x0e", "\x1f", "\udabc"], ids=ascii)
def test_text_refuses(bad: str) -> None:
    """Control characters and lone surrogates are refused with their place."""
    with pytest.raises(DataError, match="character 2"):
        check_text("ab" + bad, field="f")


@pytest.mark.parametrize("good", ["", "\t\n\x0b\x0c\r", "\x7f\x85\u2028\u202e", "\U0001f600"], ids=ascii)
def test_text_allows(good: str) -> None:
    """Every kind of white space and every character that UTF-8 can carry is allowed."""
    check_text(good, field="f")


@given(st.text())
def test_text_that_passes_can_be_written(text: str) -> None:
    """Whatever `check_text` lets through has UTF-8 bytes."""
    try:
        check_text(text, field="f")
    except DataError:
        return
    assert text.encode().decode() == text


def test_between() -> None:
    """Bounds are included, and NaN lies between nothing."""
    check_between(0, field="f", low=0, high=1)
    check_between(1, field="f", low=0, high=1)
    for value in (-0.1, 1.1, float("nan"), float("inf")):
        with pytest.raises(DataError, match="is not between 0 and 1"):
            check_between(value, field="f", low=0, high=1)


def test_same_length() -> None:
    """The message names both sides and their lengths."""
    check_same_length(left="ab", right=(1, 2), names=("l", "r"))
    with pytest.raises(DataError, match="l has 1 entries but r has 2"):
        check_same_length(left="a", right=(1, 2), names=("l", "r"))


def test_error_tree() -> None:
    """One base catches all, and messages say which extra to install."""
    assert issubclass(NothingLabelled, DataError)
    assert "pip install 'steplabel[vllm]'" in str(MissingExtra(feature="vLLM", extra="vllm"))
    errors = [v for v in vars(vocabulary).values() if isinstance(v, type) and issubclass(v, Exception)]
    assert len(errors) == 10
    assert all(issubclass(error, SteplabelError) for error in errors)


def test_vocabulary_is_pinned(repository: Path) -> None:
    """The exported names are a promise to every other room: a change shows in review."""
    golden = repository / "tests" / "schemas" / "golden" / "vocabulary.txt"
    assert golden.read_text("utf-8").split() == sorted(vocabulary.__all__)
    assert all(hasattr(vocabulary, name) for name in vocabulary.__all__)


@given(data=st.data())
def test_records_are_frozen_slotted_and_hashable(
    records: Mapping[type, SearchStrategy[Any]], data: st.DataObject
) -> None:
    """No record can be changed or carries a dict; replacing nothing gives an equal one of equal hash."""
    kind = data.draw(st.sampled_from(sorted(records, key=lambda k: k.__name__)))
    record = data.draw(records[kind])
    assert is_dataclass(kind)
    assert not hasattr(record, "__dict__")
    assert hash(record) == hash(replace(record))
    assert record == replace(record)
    with pytest.raises(FrozenInstanceError):
        setattr(record, fields(kind)[0].name, None)
