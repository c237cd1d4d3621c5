r"""Answer checking: is the final answer of a text the gold answer? `unknown` is never `wrong`.

The gold answer's type decides how; the layers are, in this order: exact text, a typed fast path of our own
(numbers, structures of numbers, choices, words), math-verify in a killable worker process, unknown.

Covered: numbers, expressions, multiple choice, and free text as far as it can be decided (see `wording`).
Not covered: unit tests and formal goals (`unsupported`); those have verifiers of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import ClassVar, Final

from steplabel.schemas import (
    AnswerType,
    CheckedOutcome,
    ConfigError,
    FinishReason,
    GoldAnswer,
    Outcome,
    Reason,
    content_id,
)
from steplabel.verifiers.answers.extraction import (
    Found,
    changes_numbers,
    find_answer,
    is_prose,
    math_segment,
    numbers_in,
)
from steplabel.verifiers.answers.maths import Compared, Formula, believe, decide, read_formula
from steplabel.verifiers.answers.screening import has_words
from steplabel.verifiers.answers.wording import compare_choices, compare_texts
from steplabel.verifiers.text.notation import MAX_ANSWER_CHARS, is_clean, plain
from steplabel.verifiers.workers.pool import WorkerLimits, pool_for

_WORKER: Final = "worker"
COMPARE: Final = "steplabel.verifiers.answers.maths_task:compare"
"""What the worker processes do."""

# The commonest end of a solution, read without the general extractor: a last line "Answer: 42". Must say
# exactly what the general path would say, which a test asserts.
_LAST_LINE = re.compile(r"(?:(?:A|Answer|Final Answer):|[Tt]he answer is:?|####) +(\$?(-?[0-9]{1,15}))\.?\s*")
_WHOLLY_TEXT = re.compile(r"\s*\$?\s*\\(?:text|mbox|textbf|mathrm)\s*\{([^{}]*)\}\s*\$?\s*\.?\s*")
_ONE_CHOICE = re.compile(r"\s*\(?[A-Z]\)?(?:\s*,\s*\(?[A-Z]\)?)*\s*")
_ONLY_WORDS = re.compile(r"\s*[A-Za-z][A-Za-z'-]+(?:[ ,]+[A-Za-z'-]+)*\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """What was found and decided.

    Attributes:
        reason: how it was decided (`exact`, `number`, `rounding`, `structure`, `choice`, `text`,
            `math_verify`, ...); a `schemas.Reason` if it is unknown, with what stood in the way after a
            colon.
        answer: the answer as the text gives it, None if it gives none.
    """

    outcome: Outcome
    reason: str
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerChecker:
    """Configuration of the answer checker: frozen and picklable; workers are opened lazily, once per process.

    Attributes:
        markers: further literal texts that announce an answer, besides `Answer:`, `A:`, "the answer is",
            `####` and `\\boxed`.
        last_number: take the last number of the last line for number golds if nothing announces an answer.
        ignore_percent: compare the digits of 50% and 50. Off, one sign too few is `unknown`.
        use_worker: ask math-verify; off, what needs it is `unknown`.
        worker_timeout_s: wall-clock seconds for one question, its start not counted. Past it the worker is
            killed.
        worker_memory_mb: its address space.
        workers: processes for each process that checks; threads queue for them.
    """

    name: ClassVar[str] = "answer"
    version: ClassVar[str] = "2"

    markers: tuple[str, ...] = ()
    last_number: bool = True
    ignore_percent: bool = False
    use_worker: bool = True
    worker_timeout_s: float = 5.0
    worker_memory_mb: int = 1_024
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0.05 <= self.worker_timeout_s <= 600:
            raise ConfigError(f"worker_timeout_s={self.worker_timeout_s} is not between 0.05 and 600 seconds")
        if self.worker_memory_mb < 256 or self.workers < 1:
            raise ConfigError(
                f"worker_memory_mb={self.worker_memory_mb}, workers={self.workers}: give at least 256 and 1"
            )
        if any(not marker.strip() for marker in self.markers):
            raise ConfigError(f"markers={self.markers!r}: an empty marker would match everywhere")

    def extract(self, text: str, gold: GoldAnswer) -> str | None:
        """Return the final answer that `text` gives, None if it gives none."""
        found = self._find(text, gold, cut=False)
        return found.text if found else None

    def fast(self, text: str, gold: GoldAnswer) -> CheckedAnswer | None:
        """Decide without the worker: never blocks, starts no process. None if the worker has to be asked."""
        if gold.type is AnswerType.NUMBER and not self.markers and (quick := _quick(text, gold.text)):
            return quick
        return self._checked(self._find(text, gold, cut=False), gold, ask=False)

    def check(self, text: str, gold: GoldAnswer) -> CheckedAnswer:
        """Decide by all layers. May block for `worker_timeout_s`, longer where threads queue for a worker."""
        return self.fast(text, gold) or self._asked(self._find(text, gold, cut=False), gold)

    def outcome(self, subject: str, text: str, gold: GoldAnswer, *, finish_reason: FinishReason) -> CheckedOutcome:
        """Check the text of a rollout or solution.

        A text cut by length, or by a server's filter, counts only if its answer was complete before the cut
        (see `extraction`); otherwise it is unknown (`length`, `filtered`). A finished text without an answer
        is unknown (`no_answer`).
        """
        if finish_reason is not FinishReason.STOP and not _elsewhere(gold):
            found = self._find(text, gold, cut=True)
            unfinished = CheckedAnswer(outcome=Outcome.UNKNOWN, reason=_CUT[finish_reason], answer=None)
            checked = self._asked(found, gold) if found else unfinished
        else:
            checked = self.check(text, gold)
        return CheckedOutcome(
            subject=subject,
            checker=self.name,
            checker_version=self.version + _rules(self),
            outcome=checked.outcome,
            reason=checked.reason,
            answer=checked.answer,
        )

    def _find(self, text: str, gold: GoldAnswer, *, cut: bool) -> Found | None:
        return find_answer(text, gold.type, markers=self.markers, last_number=self.last_number, cut=cut)

    def _asked(self, found: Found | None, gold: GoldAnswer) -> CheckedAnswer:
        checked = self._checked(found, gold, ask=True)
        assert checked is not None  # noqa: S101 - None is only for `ask=False`
        return checked

    def _checked(self, found: Found | None, gold: GoldAnswer, *, ask: bool) -> CheckedAnswer | None:
        if _elsewhere(gold):
            return CheckedAnswer(outcome=Outcome.UNKNOWN, reason=Reason.UNSUPPORTED, answer=None)
        if found is None:
            return CheckedAnswer(outcome=Outcome.UNKNOWN, reason=Reason.NO_ANSWER, answer=None)
        decision = self._decided(found, gold)
        if decision[1] == _WORKER:
            if not ask and self.use_worker:
                return None
            decision = self._ask(found, gold)
        outcome, reason = decision
        if outcome is Outcome.UNKNOWN and reason not in _REASONS:
            reason = f"{Reason.UNDECIDED}: {reason}"
        return CheckedAnswer(outcome=outcome, reason=reason, answer=found.text)

    def _decided(self, found: Found, gold: GoldAnswer) -> tuple[Outcome, str]:
        """Decide by the gold's type; reason `worker` if the algebra system has to be asked."""
        if len(found.text) > MAX_ANSWER_CHARS or not is_clean(found.text):
            return Outcome.UNKNOWN, Reason.UNPARSABLE
        kind, text = _kind(gold)
        if kind is AnswerType.CHOICE:
            return compare_choices(text, found.text)
        if kind is AnswerType.TEXT:
            return compare_texts(text, found.text)
        decided = self._compare(gold, found.text)
        if found.rivals and decided[0] is Outcome.WRONG and self._among(found.rivals, gold):
            return Outcome.UNKNOWN, "last_number"  # position alone chose, and it may have chosen badly
        if decided[0] is Outcome.UNKNOWN and is_prose(found.text):
            return self._compare_prose(found.text, gold) or decided
        return decided

    def _compare(self, gold: GoldAnswer, answer: str) -> tuple[Outcome, str]:
        left, right = self._formulas(gold, answer)
        return decide(left, right, ignore_percent=self.ignore_percent) or (Outcome.UNKNOWN, _WORKER)

    def _formulas(self, gold: GoldAnswer, answer: str) -> tuple[Formula, Formula]:
        loose = gold.type is AnswerType.NUMBER
        return read_formula(gold.text, loose=loose), read_formula(answer, loose=loose)

    def _among(self, texts: tuple[str, ...] | list[str], gold: GoldAnswer) -> bool:
        return any(self._compare(gold, text)[0] is not Outcome.WRONG for text in texts)

    def _compare_prose(self, answer: str, gold: GoldAnswer) -> tuple[Outcome, str] | None:
        """An answer within a sentence: its one formula or number; of several numbers only `wrong` is sure."""
        if segment := math_segment(answer):
            return self._compare(gold, segment)
        numbers = numbers_in(answer)
        if gold.type is not AnswerType.NUMBER or not numbers:
            return None
        if changes_numbers(answer):
            return Outcome.UNKNOWN, "words that change numbers"
        if len(numbers) == 1:
            return self._compare(gold, numbers[0])
        return (Outcome.UNKNOWN, "several") if self._among(numbers, gold) else (Outcome.WRONG, "several")

    def _ask(self, found: Found, gold: GoldAnswer) -> tuple[Outcome, str]:
        if not self.use_worker:
            return Outcome.UNKNOWN, Reason.UNDECIDED
        answer = found.text
        if is_prose(answer):  # as `_compare_prose` read it
            answer = math_segment(answer) or next(iter(numbers_in(answer)), answer)
        left, right = self._formulas(gold, answer)
        if left.refused or right.refused:
            return Outcome.UNKNOWN, left.refused or right.refused
        limits = WorkerLimits(timeout_s=self.worker_timeout_s, memory_mb=self.worker_memory_mb, workers=self.workers)
        reply = pool_for(COMPARE, limits).ask({"gold": left.body, "answer": right.body})
        return believe(left, right, Compared.of(reply))


_CUT = {FinishReason.LENGTH: Reason.LENGTH, FinishReason.FILTERED: Reason.FILTERED}
_REASONS = frozenset(value for name, value in vars(Reason).items() if name.isupper())
_CHANGES_VERDICTS = ("markers", "last_number", "ignore_percent", "use_worker")


@lru_cache(maxsize=64)
def _rules(checker: AnswerChecker) -> str:
    """Empty for the default rules, else a mark that keeps verdicts by other rules apart from theirs."""
    defaults = {field.name: field.default for field in fields(checker)}
    changed = [(name, getattr(checker, name)) for name in _CHANGES_VERDICTS]
    if all(value == defaults[name] for name, value in changed):
        return ""
    return "+" + content_id("answer rules", *(str(value) for _, value in changed))[:8]


def _elsewhere(gold: GoldAnswer) -> bool:
    return gold.type in (AnswerType.UNIT_TESTS, AnswerType.FORMAL_GOAL)


@lru_cache(maxsize=8_192)
def _kind(gold: GoldAnswer) -> tuple[AnswerType, str]:
    r"""The gold's type and text: `\text{Friday}` and `\text{(C)}` are words and a choice, not expressions."""
    if gold.type is not AnswerType.EXPRESSION:
        return gold.type, gold.text
    match = _WHOLLY_TEXT.fullmatch(gold.text)
    words = match[1] if match else plain(gold.text)
    if match and _ONE_CHOICE.fullmatch(words):
        return AnswerType.CHOICE, words
    if _ONLY_WORDS.fullmatch(words) and (match or has_words(words)):
        return AnswerType.TEXT, words
    return gold.type, gold.text


def _quick(text: str, gold: str) -> CheckedAnswer | None:
    """Two integers, the answer on the last line; None in any other case."""
    match = _LAST_LINE.fullmatch(text, text.rstrip().rfind("\n") + 1)
    if match and "<think>" in text and text.rfind("<think>") > text.rfind("</think>"):
        return None  # not spoken: still a thought
    if match is None or (wanted := _integer(gold)) is None:
        return None
    answer = match[1]
    if answer == gold:
        return CheckedAnswer(outcome=Outcome.CORRECT, reason="exact", answer=answer)
    if int(match[2]) == wanted:
        return CheckedAnswer(outcome=Outcome.CORRECT, reason="number", answer=answer)
    if answer != match[2]:
        return None  # dollars against a bare number: perhaps that counts cents
    return CheckedAnswer(outcome=Outcome.WRONG, reason="number", answer=answer)


@lru_cache(maxsize=8_192)
def _integer(gold: str) -> int | None:
    number = read_formula(gold, loose=True).number
    if number is None or number.percent or number.unit.measure or number.value.denominator != 1:
        return None
    return None if number.decimals else int(number.value)
