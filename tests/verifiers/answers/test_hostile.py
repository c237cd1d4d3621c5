"""Texts made to hang, crash or fool a parser."""

from __future__ import annotations

import time

import pytest

from steplabel.schemas import AnswerType, GoldAnswer, Outcome
from steplabel.verifiers import AnswerChecker

OFFLINE = AnswerChecker(use_worker=False)
GOLDS = {
    AnswerType.NUMBER: "18",
    AnswerType.EXPRESSION: r"2\sqrt{3}",
    AnswerType.CHOICE: "B",
    AnswerType.TEXT: "Paris",
}
WRAPS = {
    "bare": "{}",
    "line": "So we add.\nAnswer: {}",
    "box": r"Thus \boxed{{{}}}.",
    "prose": "The answer is {}.",
}


@pytest.mark.parametrize("kind", GOLDS)
@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS.keys())
def test_fast_path_survives(hostile: str, wrap: str, kind: AnswerType) -> None:
    """No hostile text crashes the fast path, holds it for a second, or is called correct."""
    started = time.process_time()
    checked = OFFLINE.check(wrap.format(hostile), GoldAnswer(text=GOLDS[kind], type=kind))
    assert time.process_time() - started < 1.0
    assert checked.outcome is not Outcome.CORRECT, checked


@pytest.mark.slow
def test_all_layers_survive(hostile: str) -> None:
    """With the worker, too: bounded time, and nothing hostile is called correct."""
    checker = AnswerChecker(worker_timeout_s=2.0)
    for kind in (AnswerType.NUMBER, AnswerType.EXPRESSION):
        started = time.monotonic()
        checked = checker.check(rf"\boxed{{{hostile}}}", GoldAnswer(text=GOLDS[kind], type=kind))
        assert checked.outcome is not Outcome.CORRECT, checked
        assert time.monotonic() - started < 60.0  # a killed worker starts again, slowly on a busy machine


def test_a_hostile_gold_is_not_matched_by_a_fragment(hostile: str) -> None:
    """A gold that nobody can parse is not equal to a number that stands in it."""
    if "\x00" in hostile or "\ud800" in hostile or len(hostile) > 20_000:
        pytest.skip("refused by GoldAnswer itself")
    gold = GoldAnswer(text=hostile, type=AnswerType.EXPRESSION)
    for text in ("1", "5", "9"):
        assert OFFLINE.check(text, gold).outcome is not Outcome.CORRECT


def test_traps_of_the_algebra_system(check: object) -> None:
    """What math-verify takes for equal and is not is never called correct here."""
    traps = [
        ("listen", "silent", AnswerType.EXPRESSION),
        ("no", "on", AnswerType.EXPRESSION),
        ("ab", "ba", AnswerType.TEXT),
        ("50%", "50", AnswerType.NUMBER),
        ("50%", "0.5", AnswerType.NUMBER),
        (r"\frac{\pi}{2}\%", r"\frac{\pi}{2}", AnswerType.EXPRESSION),
        ("(1,2)", r"\{1,2\}", AnswerType.EXPRESSION),
        (r"(1,\sqrt{2})", r"\{1,\sqrt{2}\}", AnswerType.EXPRESSION),
        (r"(1,\sqrt{2})", r"[1,\sqrt{2}]", AnswerType.EXPRESSION),
        ("12:30", "2:5", AnswerType.EXPRESSION),
        ("B", "b", AnswerType.EXPRESSION),
        (r"B\sqrt{2}", r"b\sqrt{2}", AnswerType.EXPRESSION),
        ("0.1234567", "0.1234568", AnswerType.NUMBER),
        ("5 m", "5 cm", AnswerType.NUMBER),
        (r"2\sqrt{2} m", r"2\sqrt{2} cm", AnswerType.EXPRESSION),
        (r"5t\sqrt{2}", r"5\sqrt{2}", AnswerType.EXPRESSION),
        ("11", "5 6", AnswerType.NUMBER),
        ("1", r"1\x00+1", AnswerType.EXPRESSION),
        ("5", r"5}{6", AnswerType.EXPRESSION),
        ("11/3", r"2\frac{5}{3}", AnswerType.NUMBER),
    ]
    for gold, text, kind in traps:
        checked = check(gold, text, kind)  # type: ignore[operator]
        assert checked.outcome is not Outcome.CORRECT, (gold, text, checked)
