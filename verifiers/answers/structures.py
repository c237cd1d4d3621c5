r"""Tuples, sets, lists and intervals whose entries are numbers, compared without a computer algebra system.

Covered: `(1, 2)`, `[1, 2)`, `\{1, 2\}`, bare lists `1, 2`, unions of intervals, infinity as an entry.
Not covered (None): any entry that is not a rational. Brackets are part of the answer: (1, 2) is neither [1,
2] nor the set {1, 2}, whatever a computer algebra system makes of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from steplabel.schemas import Outcome
from steplabel.verifiers.answers.agreement import Relation, relate
from steplabel.verifiers.text.numbers import MAX_DEPTH, Number, read_number

MAX_ENTRIES = 64

_PAIRS = {"(": ")", "[": "]", r"\{": r"\}"}
_BRACKET = re.compile(r"\\[{}]|[()\[\]{},;]|\\cup(?![a-zA-Z])")
_INFINITY = re.compile(r"([-+]?)\s*(?:\\infty|infinity|inf|oo)", re.IGNORECASE)
_ASSIGNED = re.compile(r"[a-zA-Z]\s*(?:=|\\in)\s*(?=[(\[\\])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    r"""One bracketed or bare list.

    Attributes:
        opening, closing: `(`, `[`, `\{` and their partners (an interval may mix them), empty for a bare list.
        entries: the text of each entry.
    """

    opening: str
    closing: str
    entries: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        """Tuples and intervals are ordered; sets and bare lists are not."""
        return self.opening in ("(", "[")

    @property
    def brackets(self) -> str:
        """What must agree: sets and bare lists are the same kind."""
        return self.opening + self.closing if self.ordered else ""


def read_structures(text: str) -> tuple[Structure, ...] | None:
    """Read `text` (in plain notation) as one structure or a union of several; None if it is neither."""
    if assigned := _ASSIGNED.match(text):
        text = text[assigned.end() :]
    pieces = _split(text, r"\cup")
    if pieces is None or len(pieces) > MAX_ENTRIES:
        return None
    structures = [_read(piece.strip(), alone=len(pieces) == 1) for piece in pieces]
    return tuple(s for s in structures if s) if all(structures) else None


def compare_structures(gold: tuple[Structure, ...], answer: tuple[Structure, ...]) -> tuple[Outcome, str] | None:
    """Compare structures of numbers; None where an entry is not a number, so that others must decide."""
    golds, answers = [_values(s) for s in gold], [_values(s) for s in answer]
    if any(v is None for v in (*golds, *answers)):
        return None
    if len(gold) != len(answer):  # [0,1] u (1,2] is [0,2]: joining pieces is for those who know sets
        return Outcome.UNKNOWN, "structure"
    outcomes = [_compare(*pair) for pair in zip(_sorted(gold), _sorted(answer), strict=True)]
    if all(outcome is Outcome.CORRECT for outcome in outcomes):
        return Outcome.CORRECT, "structure"
    if Outcome.WRONG in outcomes and len(gold) == 1:
        return Outcome.WRONG, "structure"
    return (Outcome.WRONG if Outcome.UNKNOWN not in outcomes else Outcome.UNKNOWN), "structure"


def same_brackets(gold: tuple[Structure, ...], answer: tuple[Structure, ...]) -> bool:
    """Whether both have as many pieces, and equal brackets in some order."""
    return sorted(s.brackets for s in gold) == sorted(s.brackets for s in answer)


def _compare(gold: Structure, answer: Structure) -> Outcome:
    left, right = _values(gold) or (), _values(answer) or ()
    if gold.ordered != answer.ordered:  # "1, 2" for (1, 2) may be mere formatting
        return Outcome.UNKNOWN if len(left) == len(right) else Outcome.WRONG
    if len(left) != len(right):
        return Outcome.WRONG
    if not gold.ordered:
        left, right = sorted(left, key=_sort_key), sorted(right, key=_sort_key)
    relations = {_relate(a, b) for a, b in zip(left, right, strict=True)}
    if Relation.DIFFERENT in relations or gold.brackets != answer.brackets:
        return Outcome.WRONG
    return Outcome.UNKNOWN if Relation.CLOSE in relations else Outcome.CORRECT


def _relate(left: Number | str, right: Number | str) -> Relation:
    if isinstance(left, str) or isinstance(right, str):
        return Relation.EQUAL if left == right else Relation.DIFFERENT
    if left.percent != right.percent or left.unit.conflicts(right.unit):
        return Relation.CLOSE
    return relate(left, right)


def _sort_key(value: Number | str) -> tuple[int, object]:
    if isinstance(value, str):
        return (-1 if value == "-" else 1), 0
    return 0, value.value


def _sorted(structures: tuple[Structure, ...]) -> list[Structure]:
    return sorted(structures, key=lambda s: [_sort_key(v) for v in _values(s) or ()])


def _values(structure: Structure) -> list[Number | str] | None:
    values: list[Number | str] = []
    for entry in structure.entries:
        if infinity := _INFINITY.fullmatch(entry):
            values.append(infinity[1] or "+")
            continue
        number = read_number(entry, loose=False)
        if number is None:
            return None
        values.append(number)
    return values


def _read(text: str, *, alone: bool) -> Structure | None:
    opening = next((o for o in _PAIRS if text.startswith(o)), "")
    closing = next((c for c in _PAIRS.values() if text.endswith(c)), "")
    if opening and closing and _closes_at_end(text):
        if (opening == r"\{") != (closing == r"\}"):
            return None
        inner = _split(text[len(opening) : -len(closing)], ",;")
        if inner is None or (len(inner) == 1 and opening != r"\{"):
            return None
    else:
        opening = closing = ""
        inner = _split(text, ",;")
        if not alone or inner is None or len(inner) == 1:
            return None
    entries = tuple(entry.strip() for entry in inner)
    return Structure(opening=opening, closing=closing, entries=entries) if all(entries) else None


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text is the one that closes it: not so in (1,2),(3,4)."""
    depth = 0
    for match in _BRACKET.finditer(text):
        if match[0] in (r"\{", "(", "[", "{"):
            depth += 1
        elif match[0] in (r"\}", ")", "]", "}"):
            depth -= 1
            if depth == 0:
                return match.end() == len(text)
    return False


def _split(text: str, separators: str) -> list[str] | None:
    """Split at separators outside of brackets; None if the brackets do not balance within our depth."""
    parts, start, depth = [], 0, 0
    for match in _BRACKET.finditer(text):
        if match[0] in (r"\{", "(", "[", "{"):
            depth += 1
        elif match[0] in (r"\}", ")", "]", "}"):
            depth -= 1
        elif depth == 0 and match[0] in separators:
            parts.append(text[start : match.start()])
            start = match.end()
        if not 0 <= depth <= MAX_DEPTH or len(parts) > MAX_ENTRIES:
            return None
    return [*parts, text[start:]] if depth == 0 else None
