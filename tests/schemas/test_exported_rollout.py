"""A rollout in a file of its own: its columns are pinned, and it refuses what no store could hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import DataError, ExportedRollout, FinishReason, SamplingParams, codec
from steplabel.schemas.arrow import from_table, schema_text, to_table

KEYS = st.binary(min_size=16, max_size=16).map(bytes.hex)
TEXTS = st.text(max_size=30)
COUNTS = st.integers(0, 2**63 - 1)
LOGPROBS = st.none() | st.floats(max_value=0, allow_nan=False)

ALONE = st.builds(
    ExportedRollout,
    key=KEYS,
    text=TEXTS,
    finish_reason=st.sampled_from(FinishReason),
    prompt_tokens=COUNTS,
    completion_tokens=COUNTS,
    cached_tokens=COUNTS,
    token_ids=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4).map(tuple),
    cumulative_logprob=LOGPROBS,
    prompt_logprob=LOGPROBS,
)


@st.composite
def attributed(draw: st.DrawFn) -> ExportedRollout:
    """With its request."""
    return replace(
        draw(ALONE),
        request=draw(KEYS),
        model=draw(TEXTS),
        model_name=draw(TEXTS),
        model_licence=draw(TEXTS),
        prompt=draw(TEXTS),
        sampling=SamplingParams(
            temperature=draw(st.floats(0, 10)),
            max_tokens=draw(st.integers(1, 10**6)),
            stop=tuple(draw(st.lists(st.text(min_size=1, max_size=3), max_size=2))),
        ),
        seed=draw(st.none() | st.integers(-(2**63) + 1, 2**63 - 1)),
        index=draw(COUNTS),
    )


GOOD = ExportedRollout(
    key="0123456789abcdef" * 2,
    text="t",
    finish_reason=FinishReason.STOP,
    request="f" * 32,
    sampling=SamplingParams(),
    index=0,
)


def test_columns_are_pinned(repository: Path) -> None:
    """A change of columns shows in review: published files must stay readable."""
    golden = repository / "tests" / "schemas" / "golden" / "exported_rollouts.txt"
    assert schema_text(ExportedRollout) == golden.read_text("utf-8")


@given(rollouts=st.lists(ALONE | attributed(), max_size=4))
def test_round_trip(rollouts: list[ExportedRollout]) -> None:
    """Through a Parquet file's bytes and back, as typed records and row by row as an import reads them."""
    sink = pa.BufferOutputStream()
    pq.write_table(to_table(rollouts, ExportedRollout), sink)
    table = pq.read_table(pa.BufferReader(sink.getvalue()))
    assert from_table(table, ExportedRollout) == rollouts
    rows = [{name: value for name, value in row.items() if value is not None} for row in table.to_pylist()]
    assert [codec.from_builtins(row, ExportedRollout) for row in rows] == rollouts


@given(rollout=ALONE | attributed())
def test_a_seal_covers_every_field(rollout: ExportedRollout) -> None:
    """A sealed rollout says so; with any field changed it no longer does, and sealing it twice changes nothing."""
    sealed = rollout.sealed()
    assert sealed.is_sealed
    assert sealed.sealed() == sealed
    assert not rollout.is_sealed
    others: dict[str, Any] = {
        "key": "e" * 32,
        "text": sealed.text + "x",
        "finish_reason": next(reason for reason in FinishReason if reason is not sealed.finish_reason),
        "token_ids": (*sealed.token_ids, 1),
        "model": sealed.model + "x",
        "prompt": sealed.prompt + "x",
        "cumulative_logprob": -1.25 if sealed.cumulative_logprob is None else None,
    }
    for name, value in others.items():
        assert not replace(sealed, **{name: value}).is_sealed


def test_the_seal_is_pinned() -> None:
    """Published files carry it: it must not change from one release to the next."""
    assert GOOD.sealed().checksum == "be51ff8ce2882f7f8613af4533d470ee"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "short key": ({"key": "abc"}, "key 'abc' is not 32 hex digits"),
    "long key": ({"key": "a" * 33}, "not 32 hex digits"),
    "upper case": ({"key": "A" * 32}, "not 32 hex digits"),
    "no hex": ({"key": "g" * 32}, "not 32 hex digits"),
    "line end": ({"key": "a" * 32 + "\n"}, "not 32 hex digits"),
    "no key": ({"key": ""}, "not 32 hex digits"),
    "bad request": ({"request": "f" * 31}, "request 'f+' is not"),
    "negative tokens": ({"completion_tokens": -1}, "completion_tokens"),
    "many tokens": ({"prompt_tokens": 2**63}, "prompt_tokens"),
    "token id": ({"token_ids": (1, 2**31)}, "token id"),
    "index": ({"index": -1}, "index"),
    "seed": ({"seed": 2**63}, "seed"),
    "surrogate": ({"text": "\ud800"}, "text has no UTF-8 form"),
    "surrogate in prompt": ({"prompt": "\ud800"}, "prompt has no UTF-8 form"),
    "request without sampling": ({"sampling": None}, "names its request"),
    "request without index": ({"index": None}, "names its request"),
    "sampling without request": ({"request": ""}, "names its request"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name: str) -> None:
    """Keys that are none, numbers no store holds, and half of a request."""
    changes, says = BAD[name]
    with pytest.raises(DataError, match=says):
        replace(GOOD, **changes)


def test_texts_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text past the limit is refused, with both sizes."""
    monkeypatch.setattr("steplabel.schemas.exported_rollout.MAX_TEXT_BYTES", 10)
    with pytest.raises(DataError, match="text has 12 bytes, more than the 10 allowed"):
        replace(GOOD, text="éééééé")
