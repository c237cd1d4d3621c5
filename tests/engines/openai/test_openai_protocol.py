"""Reading answers: what is believed, how tokens are shared out, and that nothing but `Passing` comes of garbage."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.openai.counting import spread
from steplabel.engines.openai.protocol import Answer, Asked, error_code, read_answer, server_message
from steplabel.engines.openai.retries import Passing
from steplabel.schemas import FinishReason, ModelLoadError

ASKED = Asked(model="m", start=10, n=2, max_tokens=500)


def choice(index: int = 0, **changes: Any) -> dict[str, Any]:
    return {"index": index, "text": f"text {index}", "finish_reason": "stop"} | changes


def body(*choices: dict[str, Any], **changes: Any) -> bytes:
    usage = {"prompt_tokens": 7, "completion_tokens": 20}
    return msgspec.json.encode({"model": "m", "choices": choices, "usage": usage} | changes)


def read(*choices: dict[str, Any], asked: Asked = ASKED, **changes: Any) -> Answer:
    return read_answer(body(*choices, **changes), asked)


def test_samples_are_numbered_from_the_start() -> None:
    """The server counts from 0, we from the first sample asked for; order is by index."""
    answer = read(choice(1), choice(0))
    assert [(s.index, s.text) for s in answer.samples] == [(10, "text 0"), (11, "text 1")]
    assert (answer.prompt_tokens, answer.cached_tokens, answer.completion_tokens) == (7, 0, 20)


def test_surplus_choices_are_dropped_and_paid_for() -> None:
    """Samples beyond those asked for are nobody's, but they were generated."""
    answer = read(*(choice(i, token_ids=[5, 6, 2]) for i in range(4)))
    assert [s.index for s in answer.samples] == [10, 11]
    assert answer.completion_tokens == 12


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"finish_reason": "stop", "stop_reason": None}, (5, 6)),
        ({"finish_reason": "stop", "stop_reason": 2}, (5, 6)),
        ({"finish_reason": "stop", "stop_reason": "\n"}, (5, 6, 2)),
        ({"finish_reason": "length"}, (5, 6, 2)),
    ],
    ids=["end token", "end token by id", "stop text", "length"],
)
def test_the_end_token_is_left_out(changes: dict[str, Any], ids: tuple[int, ...]) -> None:
    """It is counted, but is not part of the text; a token of a stop text, or the last before the limit, is."""
    (sample,) = read(choice(token_ids=[5, 6, 2], **changes)).samples
    assert (sample.token_ids, sample.completion_tokens) == (ids, 3)


@pytest.mark.parametrize("field", ["stop_reason", "matched_stop"])
def test_a_named_stop_text_is_put_back(field: str) -> None:
    """Where the request wants it and the server only names it; an end token's id is no text."""
    asked = Asked(model="m", start=0, n=1, max_tokens=500, add_stop=True)
    assert read(choice(**{field: "\n\n"}), asked=asked).samples[0].text == "text 0\n\n"
    assert read(choice(**{field: 2}), asked=asked).samples[0].text == "text 0"
    assert read(choice(**{field: "\n\n"})).samples[0].text == "text 0"


@pytest.mark.parametrize(
    ("answering", "believed"),
    [
        ("m", True),
        ("m-2025-01-31", True),
        ("m-20250131", True),
        ("m-mini", False),
        ("m-mini-2025-01-31", False),
        ("M", False),
        ("", True),
        ("org/m", False),
        (None, True),
    ],
)
def test_who_answered(answering: str | None, believed: bool) -> None:
    """The model itself or a dated snapshot of it, never a relative; a server that names nobody is believed."""
    if believed:
        assert len(read(choice(), model=answering).samples) == 1
    else:
        with pytest.raises(Passing, match=f"'m' was asked, and '{answering}' answered: set answers_as={answering} if"):
            read(choice(), model=answering)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"choices": [choice(0), choice(0)]}, "max_n=1"),
        ({"choices": [choice(-1)]}, r"indices \[-1\]"),
        ({"choices": []}, "no choices"),
        ({"choices": None}, "no choices"),
        ({"choices": [choice(text=None)]}, "no choice of the answer can be used"),
        ({"choices": [choice(finish_reason="tool_calls")]}, "no choice of the answer can be used"),
        ({"choices": [choice(5)]}, "no choice of the answer can be used"),
        ({"choices": [choice(text=5)]}, "not what the protocol says"),
        ({"choices": [choice(token_ids=[-1])]}, "not what the protocol says"),
        ({"choices": [choice(token_ids=[2**31])]}, "not what the protocol says"),
        ({"usage": {"completion_tokens": -5}}, "not what the protocol says"),
        ({"choices": None, "error": {"message": "upstream"}}, "error: upstream"),
        ({"choices": None, "error": "upstream"}, "error: upstream"),
        ({"error": {"message": "upstream"}}, "error: upstream"),
    ],
    ids=str,
)
def test_what_is_refused(changes: dict[str, Any], says: str) -> None:
    """With the reason, so that a server that always does so can be named."""
    with pytest.raises(Passing, match=says):
        read(choice(), **changes)


def test_good_choices_survive_bad_ones() -> None:
    """The caller asks for the rest."""
    answer = read(choice(0, finish_reason="abort"), choice(1))
    assert [s.index for s in answer.samples] == [11]


def test_logprobs_of_both_endpoints() -> None:
    """Completions and chats write them differently; one that is missing makes the sum unknown."""
    asked = Asked(model="m", start=0, n=1, max_tokens=500, logprobs=True)
    assert read(choice(logprobs={"token_logprobs": [-1, -0.5]}), asked=asked).samples[0].cumulative_logprob == -1.5
    content = {"content": [{"token": "a", "logprob": -2.0}]}
    assert read(choice(logprobs=content), asked=asked).samples[0].cumulative_logprob == -2.0
    with pytest.raises(Passing, match="log-probabilities"):
        read(choice(logprobs={"token_logprobs": [None, -0.5]}), asked=asked)


def test_prompt_logprobs_are_those_of_its_own_tokens() -> None:
    """The first entry of each position is the prompt's token; likelier ones follow it."""
    asked = Asked(model="m", start=0, n=1, max_tokens=500, prompt_logprobs=True)
    positions = [None, {"7": {"logprob": -3.0}, "9": {"logprob": -0.1}}, {"4": {"logprob": -0.5}}]
    assert read(choice(prompt_logprobs=positions), asked=asked).prompt_logprob == -3.5
    assert read(choice(), prompt_logprobs=positions, asked=asked).prompt_logprob == -3.5
    with pytest.raises(Passing, match="of the prompt"):
        read(choice(), asked=asked)


def test_shared_tokens_follow_logprobs_before_lengths() -> None:
    """Both are estimates; the number of log-probabilities is the better one."""
    few, many = {"token_logprobs": [-1.0]}, {"token_logprobs": [-1.0] * 3}
    answer = read(choice(0, text="long" * 50, logprobs=few), choice(1, text="", logprobs=many))
    assert [s.completion_tokens for s in answer.samples] == [5, 15]


@pytest.mark.parametrize("usage", [None, {}, {"completion_tokens": None}, {"completion_tokens": 0}], ids=str)
def test_tokens_that_nobody_counts(usage: Any) -> None:
    """No fewer than there can be: one a byte and an end, but never more than were asked for."""
    answer = read(choice(0, text="é" * 10), choice(1, text="x" * 9000), usage=usage)
    assert [s.completion_tokens for s in answer.samples] == [21, 500]
    thought = {"content": None, "reasoning_content": "hm"}
    (sample,) = read(choice(0, text=None, message=thought), usage=usage).samples
    assert sample.completion_tokens == 3
    shown = {"token_logprobs": [-1.0] * 4}
    (sample,) = read(choice(0, logprobs=shown), usage=usage).samples
    assert sample.completion_tokens == 4


CUT = {"finish_reason": "length"}


@pytest.mark.parametrize(
    ("choices", "usage", "asked"),
    [
        ([choice(0, token_ids=[5] * 40, **CUT)], {"prompt_tokens": 7}, {}),
        ([choice(0, **CUT)], {"prompt_tokens": 7, "completion_tokens": 40}, {}),
        ([choice(0, **CUT), choice(1)], {"prompt_tokens": 7, "completion_tokens": 80}, {}),
        ([choice(0, token_ids=[5] * 40, **CUT)], None, {"prompt_tokens": 7}),
    ],
    ids=["ids", "usage", "usage of several", "prompt sent as ids"],
)
def test_texts_cut_below_the_limit(choices: list[dict[str, Any]], usage: Any, asked: dict[str, int]) -> None:
    """The server's own bound, where it is certain; not where the context ended, or may have."""
    request = {"model": "m", "start": 0, "n": 2, "max_tokens": 500, **asked}
    with pytest.raises(ModelLoadError, match=r"cuts texts at [48]0 tokens or fewer, 500 were allowed"):
        read(*choices, usage=usage, asked=Asked(context=4096, **request))
    for context in (0, 50):
        assert read(*choices, usage=usage, asked=Asked(context=context, **request)).samples
    assert read(*choices, usage=usage, asked=Asked(context=4096, **request | {"max_tokens": 40})).samples


def test_texts_that_may_be_as_long_as_asked_for() -> None:
    """A total that could be one text's says nothing; nor does a text that ended by itself."""
    asked = Asked(model="m", start=0, n=2, max_tokens=500, context=4096)
    total = {"prompt_tokens": 7, "completion_tokens": 510}
    assert len(read(choice(0, **CUT), choice(1), usage=total, asked=asked).samples) == 2
    assert read(choice(0, token_ids=[5, 2]), asked=asked).samples
    for nothing in (None, {"prompt_tokens": 7}, {"prompt_tokens": 7, "completion_tokens": 0}):
        assert read(choice(0, **CUT), usage=nothing, asked=asked).samples


def test_cached_tokens_are_part_of_the_prompt() -> None:
    """A server that claims more than there are is not believed."""
    usage = {"prompt_tokens": 7, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 99}}
    assert read(choice(), usage=usage).cached_tokens == 7
    assert read(choice(), usage=usage | {"prompt_tokens_details": None}).cached_tokens == 0


def test_a_known_prompt_is_counted_where_the_server_does_not() -> None:
    """Its ids were sent."""
    asked = Asked(model="m", start=0, n=1, max_tokens=500, prompt_tokens=12)
    assert read(choice(), usage=None, asked=asked).prompt_tokens == 12
    assert read(choice(), asked=asked).prompt_tokens == 7


@given(total=st.integers(0, 10**6), weights=st.lists(st.integers(1, 10**5), min_size=1, max_size=50))
def test_spreading_is_exact(total: int, weights: list[int]) -> None:
    """Nothing is lost or added, nobody gets less than nothing, and each is within one of its share."""
    parts = spread(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert part >= 0
        assert abs(part - total * weight / sum(weights)) <= 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "model", "usage", "text", "index", "finish_reason", "message", "content", "error"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(JSON.map(msgspec.json.encode) | st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else(raw: bytes) -> None:
    """Any bytes and any JSON: an answer or `Passing`; the words of an error are found or quoted."""
    with suppress(Passing):
        read_answer(raw, ASKED)
    assert isinstance(server_message(raw), str)
    assert isinstance(error_code(raw), str)


def test_deep_nesting_is_refused() -> None:
    """It does not end the process."""
    with pytest.raises(Passing):
        read_answer(b'{"choices":' + b"[" * 200_000, ASKED)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"error": {"message": "too long", "code": 400}}', "too long"),
        (b'{"error": "too long"}', "too long"),
        (b'{"object": "error", "message": "too long"}', "too long"),
        (b'{"detail": "Not Found"}', """'{"detail": "Not Found"}'"""),
        (b"<html>bad gateway</html>", "'<html>bad gateway</html>'"),
        (b"", "(empty)"),
        (b"\xff\xfe", "'\ufffd\ufffd'"),
    ],
    ids=repr,
)
def test_what_servers_say(raw: bytes, message: str) -> None:
    """The message where there is one, else the beginning of the body."""
    assert server_message(raw) == message
    assert len(server_message(b"x" * 10**6)) < 400


def test_a_filtered_choice() -> None:
    """Its text is kept, marked."""
    (sample,) = read(choice(finish_reason="content_filter")).samples
    assert (sample.text, sample.finish_reason) == ("text 0", FinishReason.FILTERED)
