"""Segmentation loses nothing, and cuts where people would."""

from __future__ import annotations

import pickle
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import (
    BlankLineSteps,
    ConfigError,
    DataError,
    GivenSteps,
    MarkerSteps,
    NewlineSteps,
    OffsetSteps,
    Segmenter,
    SentenceSteps,
    Step,
    token_boundaries,
    with_token_ends,
)

BY_TEXT: list[Segmenter] = [
    NewlineSteps(),
    BlankLineSteps(),
    MarkerSteps(),
    MarkerSteps(join_preamble=True),
    SentenceSteps(),
    SentenceSteps(newlines=False),
    GivenSteps(),
    GivenSteps(separator="\n"),
    GivenSteps(separator=""),
]
_NAMES = [f"{type(s).__name__}{i}" for i, s in enumerate(BY_TEXT)]


def _assert_lossless(steps: tuple[Step, ...], text: str) -> None:
    assert "".join(step.text for step in steps) == text
    assert [text[step.start : step.end] for step in steps] == [step.text for step in steps]
    assert steps[0].start == 0
    assert steps[-1].end == len(text)
    assert all(a.end == b.start for a, b in pairwise(steps))
    assert all(step.text.strip() for step in steps)


def _split(segmenter: Segmenter, text: str, offsets: tuple[int, ...] = ()) -> list[str]:
    steps = segmenter.split(text, offsets)
    _assert_lossless(steps, text)
    return [step.text for step in steps]


@pytest.mark.parametrize("segmenter", BY_TEXT, ids=_NAMES)
@given(data=st.data())
@settings(max_examples=60)
def test_lossless(segmenter: Segmenter, texts: Any, data: st.DataObject) -> None:
    """Joining gives the text back, spans are contiguous, and no step is blank, whatever the text."""
    text = data.draw(texts)
    _assert_lossless(segmenter.split(text), text)


@pytest.mark.parametrize("segmenter", BY_TEXT, ids=_NAMES)
@given(data=st.data())
@settings(max_examples=60)
def test_lossless_on_structured_text(segmenter: Segmenter, data: st.DataObject) -> None:
    """The same on texts made of markers, list numbers, formulas, fences and line ends."""
    bits = ["Step 1: ", "**Step 2**", "## Step 3", "1. ", "3.5", "e.g. ", "Mr. X", "\\[", "\\]", "$$", "```"]
    bits += ["\n", "\r\n", "\n\n", "\u2028", "  ", "a", "B.", "5! ", "...", "\u3002", "? ", ")", '"']
    text = "".join(data.draw(st.lists(st.sampled_from(bits), min_size=1, max_size=40)))
    if text.strip():
        _assert_lossless(segmenter.split(text), text)


@given(data=st.data())
def test_offsets_are_lossless(texts: Any, data: st.DataObject) -> None:
    """Any rising offsets keep the promises, and every cut is one of the offsets."""
    text = data.draw(texts)
    offsets = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=1, max_size=12)))
    steps = OffsetSteps(every=data.draw(st.integers(1, 4))).split(text, offsets)
    _assert_lossless(steps, text)
    assert {step.end for step in steps} <= {*offsets, len(text)}


@given(texts_given=st.lists(st.text("ab\n. ", min_size=1).filter(str.strip), min_size=1, max_size=6))
@pytest.mark.parametrize("separator", ["\n\n", "\n", "", " ки\n"])
def test_given_steps_keep_their_number(texts_given: list[str], separator: str) -> None:
    """A list of steps becomes exactly as many steps, and the separators can be taken off again."""
    steps = GivenSteps(separator=separator).join(texts_given)
    _assert_lossless(steps, separator.join(texts_given))
    assert len(steps) == len(texts_given)
    assert [s.text.removesuffix(separator) for s in steps[:-1]] + [steps[-1].text] == texts_given


@given(words=st.lists(st.text("abc,", min_size=1), min_size=1, max_size=6))
def test_given_steps_split_undoes_join(words: list[str]) -> None:
    """Where no step holds the separator, splitting the joined text finds the same steps."""
    joined = GivenSteps().join(words)
    assert GivenSteps().split("".join(s.text for s in joined)) == joined


@pytest.mark.parametrize("segmenter", [*BY_TEXT, OffsetSteps()], ids=[*_NAMES, "OffsetSteps"])
@pytest.mark.parametrize("text", ["", " ", "\n\u2028\t", "a\x00b", "a\ud800"], ids=ascii)
def test_refuses(segmenter: Segmenter, text: str) -> None:
    """Empty, blank and unstorable texts are bad data, never a step."""
    with pytest.raises(DataError):
        segmenter.split(text, (1,))


@pytest.mark.parametrize("segmenter", [*BY_TEXT, OffsetSteps(every=3)], ids=[*_NAMES, "OffsetSteps"])
def test_pickles(segmenter: Segmenter) -> None:
    """Segmenters travel to workers as they are."""
    assert pickle.loads(pickle.dumps(segmenter)) == segmenter
    assert hash(segmenter) == hash(pickle.loads(pickle.dumps(segmenter)))


CASES: dict[str, tuple[Segmenter, str, list[str]]] = {
    "lines": (NewlineSteps(), "a\nb\nc", ["a\n", "b\n", "c"]),
    "lines: blank ones go to the step before": (NewlineSteps(), "a\n\n \nb\n", ["a\n\n \n", "b\n"]),
    "lines: leading blank ones go to the first": (NewlineSteps(), "\n\na\nb", ["\n\na\n", "b"]),
    "lines: CRLF is one line end": (NewlineSteps(), "a\r\nb\r\n\r\nc", ["a\r\n", "b\r\n\r\n", "c"]),
    "lines: a lone CR ends a line": (NewlineSteps(), "a\rb", ["a\r", "b"]),
    "lines: Unicode separators": (
        NewlineSteps(),
        "a\u2028b\u2029c\x85d",
        ["a\u2028", "b\u2029", "c\x85", "d"],
    ),
    "lines: indentation stays with its line": (NewlineSteps(), "if:\n  x\n", ["if:\n", "  x\n"]),
    "paragraphs": (BlankLineSteps(), "a\nb\n\nc", ["a\nb\n\n", "c"]),
    "paragraphs: CRLF is no blank line": (BlankLineSteps(), "a\r\nb", ["a\r\nb"]),
    "paragraphs: CRLF blank line": (BlankLineSteps(), "a\r\n\r\nb", ["a\r\n\r\n", "b"]),
    "paragraphs: a blank line may hold spaces": (BlankLineSteps(), "a\n \t\nb", ["a\n \t\n", "b"]),
    "paragraphs: many blank lines": (BlankLineSteps(), "\n\na\n\n\n\nb\n\n", ["\n\na\n\n\n\n", "b\n\n"]),
    "markers": (MarkerSteps(), "Step 1: a\nb\nStep 2: c", ["Step 1: a\nb\n", "Step 2: c"]),
    "markers: bold": (MarkerSteps(), "**Step 1** a\n**Step 2:** b", ["**Step 1** a\n", "**Step 2:** b"]),
    "markers: headings": (MarkerSteps(), "## Step 1: a\n### Step 2\nb", ["## Step 1: a\n", "### Step 2\nb"]),
    "markers: bold heading": (
        MarkerSteps(),
        "## **Step 1**\na\n## **Step 2**\nb",
        ["## **Step 1**\na\n", "## **Step 2**\nb"],
    ),
    "markers: a preamble is a step": (MarkerSteps(), "Hi.\nStep 1: a", ["Hi.\n", "Step 1: a"]),
    "markers: or joins": (
        MarkerSteps(join_preamble=True),
        "Hi.\nStep 1: a\nStep 2: b",
        ["Hi.\nStep 1: a\n", "Step 2: b"],
    ),
    "markers: joined without preamble": (
        MarkerSteps(join_preamble=True),
        "Step 1: a\nStep 2: b",
        ["Step 1: a\n", "Step 2: b"],
    ),
    "markers: prose about a step is none": (
        MarkerSteps(),
        "Step 1: a\nStep 1 gives 7.",
        ["Step 1: a\nStep 1 gives 7."],
    ),
    "markers: a decimal is none": (MarkerSteps(), "x\nStep 1.5 cm\n", ["x\nStep 1.5 cm\n"]),
    "markers: dash, bracket, alone": (
        MarkerSteps(),
        "step 1 - a\nSTEP 2) b\nStep 3\nc",
        ["step 1 - a\n", "STEP 2) b\n", "Step 3\nc"],
    ),
    "markers: after CRLF": (MarkerSteps(), "Step 1: a\r\nStep 2: b", ["Step 1: a\r\n", "Step 2: b"]),
    "markers: none at all": (MarkerSteps(), "just\ntext", ["just\ntext"]),
    "markers: own pattern": (MarkerSteps(pattern=r"\d+\)"), "1) a\n2) b", ["1) a\n", "2) b"]),
    "sentences": (
        SentenceSteps(),
        "We add. Then stop! Why? So.",
        ["We add. ", "Then stop! ", "Why? ", "So."],
    ),
    "sentences: decimals": (SentenceSteps(), "It is 3.5 m. Or .5 m.", ["It is 3.5 m. ", "Or .5 m."]),
    "sentences: abbreviations": (
        SentenceSteps(),
        "Mr. Li has, e.g. Apples. See Fig. 2. Done.",
        ["Mr. Li has, e.g. Apples. ", "See Fig. 2. ", "Done."],
    ),
    "sentences: no is a word and a number's sign": (
        SentenceSteps(),
        "The answer is no. So No. 5 wins.",
        ["The answer is no. ", "So No. 5 wins."],
    ),
    "sentences: list numbers": (
        SentenceSteps(),
        "1. Add. 2. Stop.\n(a). Go.",
        ["1. Add. ", "2. Stop.\n", "(a). Go."],
    ),
    "sentences: a number may end one": (SentenceSteps(), "So x is 12. Then", ["So x is 12. ", "Then"]),
    "sentences: factorials": (
        SentenceSteps(),
        "Now 5! = 120 and 3! 4. Ok.",
        ["Now 5! = 120 and 3! 4. ", "Ok."],
    ),
    "sentences: dots that go on": (
        SentenceSteps(),
        "1 + 2 + ... + 9 is 45. 2, 4, ... 10.",
        ["1 + 2 + ... + 9 is 45. ", "2, 4, ... 10."],
    ),
    "sentences: quotes and brackets close": (
        SentenceSteps(),
        'He said "Go." She (left.) Ok.',
        ['He said "Go." ', "She (left.) ", "Ok."],
    ),
    "sentences: lower case goes on": (SentenceSteps(), "approx. the same. Ok", ["approx. the same. ", "Ok"]),
    "sentences: letters end them": (
        SentenceSteps(),
        "through point A. Then B.",
        ["through point A. ", "Then B."],
    ),
    "sentences: formulas are whole": (
        SentenceSteps(),
        "So \\[ x = 1.\nY = 2. \\] Hence $$a.\nB$$ ok.\nEnd",
        ["So \\[ x = 1.\nY = 2. \\] Hence $$a.\nB$$ ok.\n", "End"],
    ),
    "sentences: code is whole": (
        SentenceSteps(),
        "Run\n```\nx = 1\ny\n```\nDone",
        ["Run\n", "```\nx = 1\ny\n```\n", "Done"],
    ),
    "sentences: an open fence protects nothing": (
        SentenceSteps(),
        "\\[ a.\nB.\nC",
        ["\\[ a.\n", "B.\n", "C"],
    ),
    "sentences: lines end them": (SentenceSteps(), "x = 1\ny = 2", ["x = 1\n", "y = 2"]),
    "sentences: or not": (
        SentenceSteps(newlines=False),
        "We\nadd. Then\n\nstop",
        ["We\nadd. ", "Then\n\n", "stop"],
    ),
    "sentences: CRLF is no blank line": (
        SentenceSteps(newlines=False),
        "We\r\nadd\r\n\r\nok",
        ["We\r\nadd\r\n\r\n", "ok"],
    ),
    "sentences: full width": (
        SentenceSteps(),
        "\u8fd9\u662f\u3002\u5bf9\u5417\uff1f",
        ["\u8fd9\u662f\u3002", "\u5bf9\u5417\uff1f"],
    ),
    "given: split": (GivenSteps(separator=" ки\n"), "a ки\nb ки\n", ["a ки\n", "b ки\n"]),
}


@pytest.mark.parametrize(("segmenter", "text", "expected"), CASES.values(), ids=CASES)
def test_cuts(segmenter: Segmenter, text: str, expected: list[str]) -> None:
    """The text is cut where people would cut it."""
    assert _split(segmenter, text) == expected


HOSTILE = [
    "." * 300_000,
    "\\[" * 150_000,
    " " * 300_000 + "a",
    "\n \t" * 100_000 + "a",
    "Mr. A " * 50_000,
    "#" + " " * 300_000 + "x",
    "Step 1" + " " * 300_000 + "x",
    "- " * 150_000,
    "(" * 300_000 + ".",
    ".)" * 150_000,
    "\r" * 300_000 + "a",
    "```" * 100_000,
]


@pytest.mark.parametrize("segmenter", BY_TEXT, ids=_NAMES)
@pytest.mark.timeout(120)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda t: ascii(t[:6]))
def test_no_text_hangs(segmenter: Segmenter, text: str) -> None:
    """Time is linear in the text: 300,000 hostile characters would take a quadratic pattern longer than the limit."""
    _assert_lossless(segmenter.split(text), text)


def test_offsets_of_tokens() -> None:
    """With token boundaries, `every` gives steps of so many tokens."""
    tokens = ["We", " add", " 3", ".", " So", " 5"]
    text = "".join(tokens)
    assert _split(OffsetSteps(every=2), text, token_boundaries(tokens)) == ["We add", " 3.", " So 5"]
    assert _split(OffsetSteps(every=4), text, token_boundaries(tokens)) == ["We add 3.", " So 5"]


@pytest.mark.parametrize("offsets", [(3, 1), (-1, 2), (1, 99)], ids=str)
def test_offsets_must_rise_within_the_text(offsets: tuple[int, ...]) -> None:
    """Offsets that fall or leave the text belong to another text."""
    with pytest.raises(DataError, match="offsets must rise"):
        OffsetSteps().split("abcd", offsets)


def test_bad_configurations() -> None:
    """What can never work is refused before the first text."""
    with pytest.raises(ConfigError, match="every=0"):
        OffsetSteps(every=0)
    with pytest.raises(ConfigError, match="regular expression"):
        MarkerSteps(pattern="(")
    with pytest.raises(ConfigError, match="needs offsets"):
        OffsetSteps().split("text")


@pytest.mark.parametrize("texts", [[], ["a", " ", "b"], ["a", ""]], ids=["none", "blank", "empty"])
def test_given_steps_refuse_blanks(texts: list[str]) -> None:
    """A blank step in a list is refused: leaving it out would move every label after it."""
    with pytest.raises(DataError):
        GivenSteps().join(texts)


def test_token_ends_stop_before_a_straddling_token() -> None:
    """A boundary inside a token is cut before that token."""
    boundaries = token_boundaries(["Add", ".\n", "So", " 5"])
    assert boundaries == (3, 5, 7, 9)
    steps = NewlineSteps().split("Add.\nSo 5")
    assert [s.token_end for s in with_token_ends(steps, boundaries)] == [2, 4]
    straddled = with_token_ends(steps, token_boundaries(["Add", ".\nSo", " 5"]))
    assert [s.token_end for s in straddled] == [1, 3]


def test_token_boundaries_inside_a_character() -> None:
    """A byte-level token that ends inside a character is put before that character."""
    euro = "\u20ac".encode()
    assert token_boundaries([b"a", euro[:1], euro[1:], b"b"]) == (1, 1, 2, 3)


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=40), st.data())
def test_token_boundaries_agree_for_bytes_and_text(text: str, data: st.DataObject) -> None:
    """However the bytes are cut, boundaries never fall, never pass the text's end, and reach it."""
    raw = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    pieces = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    boundaries = token_boundaries(pieces)
    assert list(boundaries) == sorted(boundaries)
    assert boundaries[-1] == len(text)
    ends = accumulate(len(piece) for piece in pieces)
    assert boundaries == tuple(len(raw[:end].decode(errors="ignore")) for end in ends)
