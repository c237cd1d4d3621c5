"""Where a text says its answer, and whether it had finished saying it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import AnswerType, FinishReason, GoldAnswer, Outcome, Reason
from steplabel.verifiers import AnswerChecker
from steplabel.verifiers.answers.checker import _quick

CHECKER = AnswerChecker(use_worker=False)
N, E, C, T = AnswerType.NUMBER, AnswerType.EXPRESSION, AnswerType.CHOICE, AnswerType.TEXT

FOUND = [
    ("answer line", "3+4=7\nAnswer: 7", N, "7"),
    ("A line", "3+4=7\nA: 7", N, "7"),
    ("last marker", "Answer: 5\nNo.\nAnswer: 7", N, "7"),
    ("hashes", "3+4=7\n#### 7", N, "7"),
    ("indented hashes", " #### 1,007 ", N, "1,007"),
    ("box", r"so \boxed{7}", N, "7"),
    ("nested box", r"so \boxed{\frac{1}{2}}", E, r"\frac{1}{2}"),
    ("box in box", r"so \boxed{\text{is }\boxed{7}}", N, "7"),
    ("escaped braces", r"so \boxed{\{1,2\}}", E, r"\{1,2\}"),
    ("bare box", r"so \boxed 7 .", N, "7"),
    ("last box", r"\boxed{5} or rather \boxed{7}", N, "7"),
    ("box after marker", r"The answer is \boxed{7}.", N, "7"),
    ("marker after box", r"\boxed{5}. Final Answer: The final answer is 7. I hope it is correct.", N, "7"),
    ("bold", "**Final Answer:** 7", N, "7"),
    ("bold number", "The answer is **7**.", N, "7"),
    ("heading", "## Answer\n\n7", N, "7"),
    ("display", "The answer is:\n\\[\n\\frac{1}{2}\n\\]", E, r"\frac{1}{2}"),
    ("dollars", "The answer is $x+1$.", E, "x+1"),
    ("sentence goes on", "The answer is 7. She is glad.", N, "7"),
    ("decimals are no end", "The answer is 7.25. She is glad.", N, "7.25"),
    ("is to the question", "The answer to the question is 7", N, "7"),
    ("upper case", "ANSWER: 7", N, "7"),
    ("calculator", "A: <<3+4=7>>7", N, "7"),
    ("last number", "3 + 4 is 7\nSo she has 7 eggs.", N, "7"),
    ("last fraction", "it is 3/4 of them", N, "3/4"),
    ("last number with comma", "in all $1,007.", N, "$1,007"),
    ("bare", "7", N, "7"),
    ("bare words", "Paris", T, "Paris"),
    ("bare choice", "(B)", C, "(B)"),
    ("options are no answers", "A: 3\nB: 4\nAnswer: B", C, "B"),
    ("A as a choice", "Q: which?\nA: B", C, "B"),
    ("a quantity named A", "A: 5\nB: 7\nSo it is 12.", N, "12"),
    ("remark after the answer", "Answer: 7\nThe answer is therefore consistent.", N, "7"),
    ("negated", "The answer is not 7.", N, None),
    ("nothing", "", N, None),
    ("blank", " \n ", N, None),
    ("operand", "Kylar pays 5 * 1", N, None),
    ("open sum", "then 32768 feet * 2 =\nand 7 +", N, None),
    ("a number that cannot be read comes later", "32 feet and 5x7 more", N, None),
    ("prose", "We first look at the triangle.\nThen we stop.", E, None),
    ("no number", "We first look.\nThen we stop.", N, None),
    ("open box", r"so \boxed{7", N, None),
    ("empty marker", "It is 7.\nAnswer:", N, None),
]


@pytest.mark.parametrize(("text", "kind", "answer"), [c[1:] for c in FOUND], ids=[c[0] for c in FOUND])
def test_extract(text: str, kind: AnswerType, answer: str | None) -> None:
    """The last place that announces an answer gives it."""
    assert CHECKER.extract(text, GoldAnswer(text="7", type=kind)) == answer


def test_last_number_can_be_switched_off() -> None:
    """Without the last resort, a text that announces nothing has no answer."""
    checker = AnswerChecker(use_worker=False, last_number=False)
    text = "3 + 4 is 7\nSo she has 7 eggs."
    assert checker.check(text, GoldAnswer(text="7")).reason == Reason.NO_ANSWER
    assert checker.extract(text, GoldAnswer(text="7")) is None


def test_further_markers() -> None:
    """A marker of one's own announces an answer, taken literally."""
    checker = AnswerChecker(use_worker=False, markers=("=> ", "R\u00e9ponse:"))
    assert checker.extract("3+4 gives\n=> 7\nand that is all", GoldAnswer(text="7")) == "7"
    assert checker.extract("R\u00e9ponse: 7", GoldAnswer(text="7")) == "7"


CUT = [
    ("cut number", "3+4=7\nAnswer: 4", None),
    ("closed by its line", "3+4=7\nAnswer: 42\n", "42"),
    ("closed by a sentence", "The answer is 42. She", "42"),
    ("a point may be a decimal point", "The answer is 42.", None),
    ("closed box", r"so \boxed{42}", "42"),
    ("open box", r"so \boxed{4", None),
    ("open brace inside", r"so \boxed{\frac{1}{2}", None),
    ("last number", "So she has 42", None),
    ("a later answer had begun", "The answer is 42. Wait.\nAnswer: 4", None),
    ("a later box had begun", r"\boxed{42} is wrong, so \boxed{4", None),
    ("bare", "42", None),
    ("nothing", "We first", None),
    ("hashes", "#### 4", None),
    ("closed hashes", "#### 42\n\n", "42"),
]


@pytest.mark.parametrize(
    ("finish", "reason"), [(FinishReason.LENGTH, Reason.LENGTH), (FinishReason.FILTERED, Reason.FILTERED)]
)
@pytest.mark.parametrize(("text", "answer"), [c[1:] for c in CUT], ids=[c[0] for c in CUT])
def test_cut(text: str, answer: str | None, finish: FinishReason, reason: str) -> None:
    """A text cut by length or a filter counts only if its answer was complete; a cut number is never an answer."""
    gold = GoldAnswer(text="42")
    checked = CHECKER.outcome("rollout", text, gold, finish_reason=finish)
    assert checked.answer == answer
    if answer is None:
        assert (checked.outcome, checked.reason) == (Outcome.UNKNOWN, reason)
    else:
        assert checked.outcome is Outcome.CORRECT


@given(st.integers(min_value=10, max_value=10**9), st.data())
def test_no_prefix_of_a_number_is_an_answer(value: int, data: st.DataObject) -> None:
    """Wherever a completion is cut within its number, it is unknown, not the shorter number."""
    digits = str(value)
    cut = data.draw(st.integers(min_value=1, max_value=len(digits)))
    for lead in ("Answer: ", "The answer is ", "#### ", "so ", r"\boxed{"):
        text = "We add.\n" + lead + digits[:cut]
        checked = CHECKER.outcome("r", text, GoldAnswer(text=digits[:cut]), finish_reason=FinishReason.LENGTH)
        assert checked.reason == Reason.LENGTH


def test_finished_without_answer() -> None:
    """A finished text without an answer is unknown, and says so."""
    checked = CHECKER.outcome("r", "We stop here.", GoldAnswer(text="7"), finish_reason=FinishReason.STOP)
    assert (checked.outcome, checked.answer) == (Outcome.UNKNOWN, None)
    assert checked.reason == Reason.NO_ANSWER


@given(
    st.sampled_from(["A: ", "Answer: ", "Final Answer: ", "The answer is ", "the answer is: ", "#### "]),
    st.one_of(st.integers(min_value=-(10**14), max_value=10**14), st.sampled_from([5, 500, 50, 0])),
    st.sampled_from(["", ".", "\n", " \n\n", ". "]),
    st.sampled_from(["", "3+4=7\n", "Answer: 5\n", "\\boxed{5}\n", "A: 5\n\nWe go on.\n", "The answer is not 5.\n"]),
    st.sampled_from(["", "$"]),
)
def test_the_short_cut_agrees(marker: str, value: int, end: str, before: str, currency: str) -> None:
    """What the short cut for a last line decides is what the general path decides."""
    text = f"{before}{marker}{currency}{value}{end}"
    gold = GoldAnswer(text="5")
    if quick := _quick(text, gold.text):
        general = CHECKER._checked(CHECKER._find(text, gold, cut=False), gold, ask=True)
        assert general is not None
        assert (quick.outcome, quick.answer) == (general.outcome, general.answer)


@given(st.text(max_size=400), st.sampled_from([N, E, C, T]), st.sampled_from(list(FinishReason)))
def test_any_text_is_answered(text: str, kind: AnswerType, finish: FinishReason) -> None:
    """Whatever a model writes, there is an outcome, and a reason beside it."""
    checked = CHECKER.outcome("r", text, GoldAnswer(text="B", type=kind), finish_reason=finish)
    assert checked.reason
