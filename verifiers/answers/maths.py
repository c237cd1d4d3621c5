r"""Comparing mathematical answers: what is decided here, what the algebra system is asked and believed.

The order is exact text, numbers, structures of numbers; what is left goes to math-verify in its worker, if
screening lets it. Its verdict is believed only where it answers the question that was put:

- both sides parsed whole, and the comparison agrees in both directions;
- percent signs and known units do not differ (they were taken off before, since it drops them);
- brackets agree; letters agree but for case never;
- of equations and inequalities only a `True`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from steplabel.schemas import Outcome, Reason
from steplabel.verifiers.answers.agreement import compare_numbers
from steplabel.verifiers.answers.screening import (
    has_words,
    is_relation,
    refused,
    same_letters_but_for_case,
)
from steplabel.verifiers.answers.structures import Structure, compare_structures, read_structures, same_brackets
from steplabel.verifiers.text.notation import MAX_ANSWER_CHARS, has_foreign_digits, is_clean, plain
from steplabel.verifiers.text.numbers import Number, read_number
from steplabel.verifiers.text.units import Unit, read_unit
from steplabel.verifiers.workers.pool import Reply

Decision = tuple[Outcome, str]

# "x = 5", "r = 6.2", "the area = 20", "P(A) = 1/2": a name for what follows. 2x = 10 is an equation instead.
_NAMED = re.compile(
    r"\s*(?:[A-Za-z][A-Za-z' ]{0,60}|[A-Za-z](?:_\{?\w{1,8}\}?|\([A-Za-z]\))|\\[a-z]+|f\(x\))\s*=\s*(?![=<>])"
)
_APPROXIMATELY = re.compile(r"\s*\\(?:approx|simeq|sim)(?![a-zA-Z])\s*")
_RANGE = re.compile(r"\s*\d+(?:[.,]\d+)*\s?-\s?\d+(?:[.,]\d+)*(?:\s+[a-zA-Z]{2,})*\s*", re.ASCII)
_CLOCK = re.compile(
    r"\s*(\d{1,3})\s*:\s*(\d{1,3})(?:\s*:\s*(\d{1,3}))?\s*(?:([ap])\.?\s?m\.?)?\s*", re.ASCII | re.IGNORECASE
)
_BASE = re.compile(r"\s*\(?(-?[0-9A-Za-z,]{1,60})\)?\s*_\s*\{?\s*(\d{1,2})\s*\}?\s*", re.ASCII)
_UNIT_TAIL = re.compile(r"(?<=[\d})])\s*((?:\\?%|\u00b0|[A-Za-z]{2,})[A-Za-z\u00b0 /.^{}23]*)$")
_THOUSANDS = re.compile(r"(?<![\d.,(\[])\d{1,3}(?:,\d{3})+(?![\d,])(?=[^)\]]*(?:\}|$))", re.ASCII)
_LOOSE_SPACE = re.compile(r" (?=[^A-Za-z0-9\\])|(?<=[^A-Za-z0-9]) ")
# 18k, 5 m, 2s, E: a unit, a scale, a choice or a variable; 3i is a number.
_SUFFIXED = re.compile(r"-?[\d.,/ ]*(?!i)[A-Za-z]{1,2}\s*", re.ASCII)
_MALFORMED = re.compile(r"-?0[0-9]+")  # the 00 of "1,0,00": no list and no number


@dataclass(frozen=True, slots=True)
class Formula:
    """One side, read as far as it can be read here.

    Attributes:
        text: in plain notation, a leading name (`x =`) and spaces beside signs taken off; empty for a hostile
            text.
        number, structures: what it is, if it is one of these.
        about: what it says that it is about: 18 of `18.4 \\approx 18`.
        body: without unit and percent sign, as the algebra system may see it; `refused` says why it may not.
    """

    text: str
    number: Number | None
    structures: tuple[Structure, ...] | None
    body: str
    unit: Unit
    percent: bool
    refused: str
    about: Number | None = None


@lru_cache(maxsize=8_192)
def read_formula(answer: str, *, loose: bool) -> Formula:
    """Read one side. `loose`: the gold is known to be a number (see `read_number`)."""
    if len(answer) > MAX_ANSWER_CHARS or not is_clean(answer):
        return Formula("", None, None, "", Unit(), False, Reason.UNPARSABLE)
    text, about = _apart(_without_name(plain(answer)))
    if has_foreign_digits(text):
        return Formula("", None, None, "", Unit(), False, Reason.UNPARSABLE)
    number = read_number(text, loose=loose) or _last_of_chain(text, loose=loose)
    structures = read_structures(text)
    body, unit, percent = _without_unit(text)
    rounded = read_number(about, loose=loose) if about else None
    return Formula(_LOOSE_SPACE.sub("", text), number, structures, body, unit, percent, refused(body), rounded)


def decide(gold: Formula, answer: Formula, *, ignore_percent: bool = False) -> Decision | None:
    """Decide without the algebra system; None if it has to be asked. `unknown` says what is in the way."""
    if gold.text and gold.text == answer.text:
        return Outcome.CORRECT, "exact"
    if gold.number and answer.number:
        return _compare_numbers(gold.number, answer, answer.number, ignore_percent=ignore_percent)
    return _decide_notation(gold.text, answer.text) or _decide_structures(gold, answer) or _unaskable(gold, answer)


def _compare_numbers(gold: Number, answer: Formula, number: Number, *, ignore_percent: bool) -> Decision:
    """The first side of an approximation is exact; where only the other agrees, rounding may have been asked for."""
    decided = compare_numbers(gold, number, ignore_percent=ignore_percent)
    if decided[0] is Outcome.WRONG and answer.about:
        rounded, _ = compare_numbers(gold, answer.about, ignore_percent=ignore_percent)
        return decided if rounded is Outcome.WRONG else (Outcome.UNKNOWN, "rounding")
    return decided


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the algebra system said of one pair; `failed` is a `Reason` where it said nothing.

    Attributes:
        parsed: whether both were read as mathematics.
        equal: gold against answer; `reverse`: the other way round, since math-verify is not symmetric.
        gold_value, answer_value: decimal digits where both are real numbers, so that rounding is judged by our policy.
    """

    failed: str = ""
    parsed: bool = False
    equal: bool = False
    reverse: bool = False
    gold_value: str = ""
    answer_value: str = ""

    @classmethod
    def of(cls, reply: Reply) -> Compared:
        """What a worker's reply says."""
        if reply.failed == Reason.UNSUPPORTED:
            return cls(failed=Reason.UNPARSABLE)
        return cls(failed=reply.failed, **reply.answer)


def believe(gold: Formula, answer: Formula, reply: Compared) -> Decision:
    """Turn the algebra system's reply into a decision, by the rules above."""
    if reply.failed or not reply.parsed:
        return Outcome.UNKNOWN, reply.failed or Reason.UNPARSABLE
    if reply.equal != reply.reverse or gold.percent != answer.percent:
        return Outcome.UNKNOWN, Reason.UNDECIDED
    if reply.equal:
        return Outcome.CORRECT, "math_verify"
    if rounded := _rounded(gold, answer, reply):
        return rounded
    if is_relation(gold.body) or is_relation(answer.body):
        return Outcome.UNKNOWN, Reason.UNDECIDED
    return Outcome.WRONG, "math_verify"


def _decide_structures(gold: Formula, answer: Formula) -> Decision | None:
    if not answer.structures:
        return None
    if gold.structures:
        if decided := compare_structures(gold.structures, answer.structures):
            return decided
        if not same_brackets(gold.structures, answer.structures):
            return Outcome.UNKNOWN, "structure"
    return _list_for_number(answer) if gold.number else None


def _unaskable(gold: Formula, answer: Formula) -> Decision | None:
    for side in (answer, gold):
        if side.refused:
            return Outcome.UNKNOWN, side.refused
    if gold.percent != answer.percent or gold.unit.conflicts(answer.unit):
        return Outcome.UNKNOWN, Reason.UNDECIDED
    if gold.number and _SUFFIXED.fullmatch(answer.body):
        return Outcome.UNKNOWN, Reason.UNDECIDED
    if same_letters_but_for_case(gold.body, answer.body) or _RANGE.fullmatch(answer.body):
        return Outcome.UNKNOWN, Reason.UNDECIDED
    if "_" in gold.body or "_" in answer.body:  # subscripts are dropped or read as names
        return Outcome.UNKNOWN, Reason.UNDECIDED
    degrees = (gold.unit.word == "degree") != (answer.unit.word == "degree")
    return (Outcome.UNKNOWN, Reason.UNDECIDED) if degrees and r"\pi" in gold.body + answer.body else None


def _list_for_number(answer: Formula) -> Decision:
    """Several entries where one number is wanted are wrong, unless "3,5" means 3.5 or {5} means 5."""
    structures = answer.structures or ()
    entries = [entry for structure in structures for entry in structure.entries]
    decimal = len(entries) == 2 and not structures[0].opening and all(e.isdigit() for e in entries)
    if len(entries) == 1 or decimal or has_words(answer.text) or any(map(_MALFORMED.fullmatch, entries)):
        return Outcome.UNKNOWN, "structure"
    return Outcome.WRONG, "structure"


def _decide_notation(gold: str, answer: str) -> Decision | None:
    """Clock times and ratios, and digits with a base: notations that the algebra system misreads."""
    if ":" in gold or ":" in answer:
        return _compare_clocks(gold, answer)
    if "_" in gold or "_" in answer:
        return _compare_bases(gold, answer)
    return None


def _compare_clocks(gold: str, answer: str) -> Decision | None:
    left, right = _CLOCK.fullmatch(gold), _CLOCK.fullmatch(answer)
    if not left or not right:
        return None
    a, b = (tuple(int(part or 0) for part in match.groups()[:3]) for match in (left, right))
    if (left[4] or right[4] or "").lower() != (right[4] or left[4] or "").lower():
        return Outcome.WRONG, "clock"
    if a == b:
        return Outcome.CORRECT, "clock"
    # 12:30 and 2:5 are the same ratio but different times.
    return (Outcome.UNKNOWN if a[0] * b[1] == b[0] * a[1] else Outcome.WRONG), "clock"


def _compare_bases(gold: str, answer: str) -> Decision | None:
    left, right = _BASE.fullmatch(gold), _BASE.fullmatch(answer)
    if left and right:
        if left[2] != right[2]:
            return Outcome.UNKNOWN, "base"
        same = left[1].replace(",", "").upper() == right[1].replace(",", "").upper()
        return (Outcome.CORRECT if same else Outcome.WRONG), "base"
    match, other = (left, answer) if left else (right, gold)
    if match is None:
        return None
    digits, other = match[1].replace(",", ""), other.replace(",", "").strip()
    # The question named the base, and the decimal value has other digits.
    if left and other.upper() == digits.upper():
        return Outcome.CORRECT, "base"
    if not other.isdigit() or other == digits or _in_base(digits, int(match[2])) == int(other):
        return Outcome.UNKNOWN, "base"  # the base may stand in the question
    return Outcome.WRONG, "base"


def _in_base(digits: str, base: int) -> int | None:
    try:
        return int(digits, base)
    except ValueError:  # a digit that the base does not have, or no base at all
        return None


def _rounded(gold: Formula, answer: Formula, reply: Compared) -> Decision | None:
    """One side a printed decimal, the other a root or a multiple of pi: judged by our own rounding policy."""
    pairs = ((gold.number, reply.answer_value), (answer.number, reply.gold_value))
    for printed, digits in pairs:
        if printed and printed.decimals and digits and (value := read_number(digits.strip())):
            # No finite decimals: a third of a unit far beyond the printed digits marks it as such.
            other = Number(value=value.value + Fraction(1, 3 * 10**30))
            outcome, reason = compare_numbers(Number(value=printed.value, decimals=printed.decimals), other)
            return None if outcome is Outcome.WRONG else (outcome, reason)
    return None


def _without_name(text: str) -> str:
    match = _NAMED.match(text)
    return text[match.end() :] if match and text[match.end() :].strip() else text


def _apart(text: str) -> tuple[str, str]:
    r"""Both sides of `\frac23 \approx 0.67`, of which the first is exact; the other is empty where there is but one."""
    first, *rest = _APPROXIMATELY.split(text, maxsplit=1)
    return (first, "".join(rest)) if first.strip() else ("".join(rest), "")


def _last_of_chain(text: str, *, loose: bool) -> Number | None:
    """3 * 6 = 18 is 18, if all of it agrees: in 2x = 10 and 3 = 4 nothing is."""
    if "=" not in text or len(text) > 300:
        return None
    sides = [read_number(side.strip(), loose=loose) for side in text.split("=")]
    first, last = sides[0], sides[-1]
    if first is None or last is None or any(s is None or s.value != last.value for s in sides):
        return None
    return last


def _without_unit(text: str) -> tuple[str, Unit, bool]:
    r"""Take a unit or percent sign off a formula that is no plain number: `4\sqrt{2} cm`, `\pi%`."""
    text = _THOUSANDS.sub(lambda match: match[0].replace(",", ""), text.replace("$", "")).strip()
    match = _UNIT_TAIL.search(text)
    tail = read_unit(match[1], loose=False) if match else None
    if match is None or tail is None or tail.factor != 1:
        return text, Unit(), False
    return text[: match.start()].strip(), tail.unit, tail.percent
