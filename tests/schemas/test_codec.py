"""Records survive every way in which they travel."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from steplabel.schemas import (
    CheckedOutcome,
    DataError,
    Evidence,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    Solution,
    Step,
    make_solution,
)
from steplabel.schemas.codec import (
    from_builtins,
    from_json,
    from_msgpack,
    to_builtins,
    to_json,
    to_msgpack,
)

Records = Mapping[type, SearchStrategy[Any]]
WAYS: dict[str, Callable[[Any], Any]] = {
    "json": lambda r: from_json(to_json(r), type(r)),
    "json as text": lambda r: from_json(to_json(r).decode(), type(r)),
    "msgpack": lambda r: from_msgpack(to_msgpack(r), type(r)),
    "builtins": lambda r: from_builtins(to_builtins(r), type(r)),
    "pickle": lambda r: pickle.loads(pickle.dumps(r)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@given(data=st.data())
def test_round_trip(way: Callable[[Any], Any], records: Records, data: st.DataObject) -> None:
    """Out and back is the identity for every record of the vocabulary."""
    kind = data.draw(st.sampled_from(sorted(records, key=lambda k: k.__name__)))
    record = data.draw(records[kind])
    assert way(record) == record


@given(data=st.data())
def test_json_is_deterministic(records: Records, data: st.DataObject) -> None:
    """Equal records give equal bytes, also after a trip through another encoding."""
    record = data.draw(records[Evidence])
    assert to_json(from_msgpack(to_msgpack(record), Evidence)) == to_json(record)


@given(data=st.data())
def test_ids_survive(records: Records, data: st.DataObject) -> None:
    """Keys derived from a record that came back are those of the record that left."""
    problem, outcome = data.draw(records[Problem]), data.draw(records[CheckedOutcome])
    solution = data.draw(records[Solution])
    assert from_json(to_json(problem), Problem).root_key == problem.root_key
    assert from_json(to_json(outcome), CheckedOutcome).key == outcome.key
    back = from_json(to_json(solution), Solution)
    again = make_solution(Problem(id=back.problem_id, text="q"), back.steps, sampling=back.sampling)
    assert again.id == make_solution(Problem(id="x", text="q"), solution.steps, sampling=solution.sampling).id


BROKEN: dict[str, tuple[bytes | str, type, str]] = {
    "no JSON": (b"{", Problem, "not a Problem"),
    "not UTF-8": (b'{"id": "\xff", "text": "q"}', Problem, "not a Problem"),
    "field missing": (b'{"id": "p"}', Problem, "text"),
    "wrong type": (b'{"id": 1, "text": "q"}', Problem, r"\$.id"),
    "not an enum's word": (b'{"text": "1", "type": "guess"}', GoldAnswer, "guess"),
    "refused by its record": (b'{"text": " "}', GoldAnswer, "gold answer"),
    "refused deep inside": (
        b'{"id": "p", "text": "q", "gold": {"text": "1", "chance": 2}}',
        Problem,
        "chance",
    ),
    "surrogate by escape": (b'{"id": "p", "text": "\\ud800"}', Problem, "not a Problem"),
    "control by escape": (b'{"id": "p", "text": "\\u0000"}', Problem, r"U\+0000"),
    "a list": ("[]", Problem, "not a Problem"),
    "too deep": ("[" * 100_000, Problem, "not a Problem"),
    "number too large": (
        b'{"subject":"s","checker":"c","checker_version":1e999,"outcome":"wrong"}',
        CheckedOutcome,
        "checker_version",
    ),
}


@pytest.mark.parametrize(("data", "kind", "message"), BROKEN.values(), ids=BROKEN)
def test_bad_json(data: bytes | str, kind: type, message: str) -> None:
    """What does not say what its record promises is a DataError that names the field."""
    with pytest.raises(DataError, match=message):
        from_json(data, kind)


@given(st.binary(max_size=60))
def test_bad_msgpack(data: bytes) -> None:
    """Arbitrary bytes are refused with a DataError, or are a record that checks out."""
    try:
        record = from_msgpack(data, CheckedOutcome)
    except DataError:
        return
    assert from_msgpack(to_msgpack(record), CheckedOutcome) == record


def test_fields_added_later_are_ignored() -> None:
    """A row of a newer version is read: the schema grows only by addition."""
    row = {"subject": "s", "checker": "c", "checker_version": "1", "outcome": "wrong", "newer": [1]}
    expected = CheckedOutcome(subject="s", checker="c", checker_version="1", outcome=Outcome.WRONG)
    assert from_builtins(row, CheckedOutcome) == expected


def test_lenient_reading() -> None:
    """Overrides from a command line are texts: `8` is taken for 8 only where that is asked for."""
    assert from_builtins({"max_tokens": "8"}, SamplingParams, strict=False).max_tokens == 8
    with pytest.raises(DataError, match="max_tokens"):
        from_builtins({"max_tokens": "8"}, SamplingParams)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    text: str


def test_same_shape_same_record() -> None:
    """Types are by shape: a step written by name alone is read back with its defaults."""
    assert from_json(to_json(_Other(text="a")), Step) == Step(text="a")
