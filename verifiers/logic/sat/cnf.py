"""Clauses: a conjunction of disjunctions of literals, what satisfies them, and their text in three forms.

Covered: DIMACS (`p cnf 3 2` and lines that end in 0), formulas (`(x1 or not x2) and (x3)` in signs), sentences (`1.
x1 is true or x2 is false`). Not covered: weights, comments inside DIMACS, clauses that span lines, formulas of several
lines. Where a line beside the clauses that were read may be one more, none are read: no clause is dropped in silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

MAX_VARIABLES = 200
MAX_CLAUSES = 1_000
MAX_LITERALS = 5_000
MAX_CHARS = 100_000


class ClauseForm(StrEnum):
    """How clauses look in a problem's text."""

    DIMACS = "dimacs"
    FORMULA = "formula"
    SENTENCES = "sentences"


@dataclass(frozen=True, slots=True)
class Cnf:
    """Clauses over variables 1 ... `variables`; the literal -3 says that variable 3 is false.

    Raises:
        ValueError: a literal of no variable, an empty clause, or more of anything than this module's bounds.
    """

    variables: int
    clauses: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if not 1 <= self.variables <= MAX_VARIABLES or not 1 <= len(self.clauses) <= MAX_CLAUSES:
            raise ValueError(f"{self.variables} variables, {len(self.clauses)} clauses: out of bounds")
        if sum(map(len, self.clauses)) > MAX_LITERALS:
            raise ValueError(f"more than {MAX_LITERALS} literals")
        if not all(clause and all(1 <= abs(x) <= self.variables for x in clause) for clause in self.clauses):
            raise ValueError(f"an empty clause, or a literal of no variable among 1 ... {self.variables}")

    def only(self, kept: Iterable[int]) -> Cnf | None:
        """The clauses of these 0-based indices; None if there are none."""
        clauses = tuple(self.clauses[index] for index in sorted(kept))
        return Cnf(self.variables, clauses) if clauses else None


def satisfied(cnf: Cnf, assignment: Sequence[bool]) -> tuple[bool, ...]:
    """For each clause whether the assignment (variable 1 first) satisfies it."""
    return tuple(any(assignment[abs(literal) - 1] is (literal > 0) for literal in clause) for clause in cnf.clauses)


def digits(values: Iterable[bool]) -> str:
    """Truth values as the answers write them: 1 for true."""
    return "".join("1" if value else "0" for value in values)


def write_cnf(cnf: Cnf, form: ClauseForm) -> str:
    """The clauses as text. `read_cnf` reads them back as they were."""
    if form is ClauseForm.DIMACS:
        lines = (" ".join(map(str, (*clause, 0))) for clause in cnf.clauses)
        return "\n".join((f"p cnf {cnf.variables} {len(cnf.clauses)}", *lines))
    head = f"Variables: x1 to x{cnf.variables}."
    if form is ClauseForm.FORMULA:
        brackets = (" \u2228 ".join(f"{'' if x > 0 else '¬'}x{abs(x)}" for x in clause) for clause in cnf.clauses)
        return f"{head}\n" + " ∧ ".join(f"({inner})" for inner in brackets)
    said = (" or ".join(f"x{abs(x)} is {'true' if x > 0 else 'false'}" for x in clause) for clause in cnf.clauses)
    return f"{head}\n" + "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(said, start=1))


def read_cnf(text: str) -> Cnf | None:
    """The clauses that a text holds in exactly one of the forms; None if there are none, or they cannot be read."""
    if len(text) > MAX_CHARS:
        return None
    found = [cnf for cnf in (_read(read, text) for read in _READERS.values()) if cnf is not None]
    return found[0] if len(found) == 1 else None


def _read(read: Callable[[str], Cnf | None], text: str) -> Cnf | None:
    try:
        return read(text)
    except ValueError:
        return None


_HEAD = re.compile(r"^Variables: x1 to x([0-9]{1,3})\.$", re.MULTILINE)
_DIMACS = re.compile(r"^p cnf ([0-9]{1,3}) ([0-9]{1,4})$", re.MULTILINE)
_NUMBER = re.compile(r"-?[0-9]{1,3}")
_ANY_HEAD = re.compile(r"^[ \t]{0,8}(?:p[ \t]{1,8}cnf\b|Variables:)", re.MULTILINE | re.IGNORECASE)
_INTEGER = re.compile(r"[-+\u2212]?[0-9]{1,9}")
_ANY_FORMULA = re.compile(r"[(\u00ac~!] {0,4}x_?[0-9]|x_?[0-9]{1,9}\)")
_ANY_SENTENCE = re.compile(r"^[ \t]{0,8}[0-9]{1,9}[.)][ \t]|\bx_?[0-9]{1,9} is\b")
# What may be a clause, or its head, in a form that is not read.
_BRACKET = re.compile(r"\(([^()]{1,4000})\)")
_LITERAL = re.compile(r"(\u00ac?)x([0-9]{1,3})")
_SENTENCE = re.compile(r"^([0-9]{1,4})\. (x[0-9]{1,3} is (?:true|false)(?: or x[0-9]{1,3} is (?:true|false))*)$", re.M)
_SAID = re.compile(r"x([0-9]{1,3}) is (true|false)")


def _read_dimacs(text: str) -> Cnf | None:
    match = _DIMACS.search(text)
    if match is None or len(_ANY_HEAD.findall(text)) != 1:
        return None
    clauses, lines = [], text[match.end() :].lstrip("\n").split("\n")
    others = (*text[: match.start()].split("\n"), *lines[int(match[2]) :])
    if any(map(_may_be_clause, others)):
        return None
    for line in lines[: int(match[2])]:
        numbers = [int(word) for word in line.split() if _NUMBER.fullmatch(word)]
        if numbers[-1:] != [0] or len(numbers) != len(line.split()):
            return None
        clauses.append(tuple(numbers[:-1]))
    return Cnf(int(match[1]), tuple(clauses)) if len(clauses) == int(match[2]) else None


def _may_be_clause(line: str) -> bool:
    """Whether a line is all numbers, or holds a number before a 0: `2 0 and so on`."""
    words = line.split()
    numbers = [_INTEGER.fullmatch(word) is not None for word in words]
    return (bool(words) and all(numbers)) or any(
        number and end == "0" for number, end in zip(numbers, words[1:], strict=False)
    )


def _read_formula(text: str) -> Cnf | None:
    head = _HEAD.search(text)
    line, *others = text[head.end() :].lstrip("\n").split("\n") if head else [""]
    clauses = [_bracket(inner) for inner in _BRACKET.findall(line)]
    if head is None or not clauses or len(_ANY_HEAD.findall(text)) != 1:
        return None
    if any(_ANY_FORMULA.search(other) for other in (text[: head.start()], *others)):
        return None
    cnf = Cnf(int(head[1]), tuple(clauses))
    return cnf if write_cnf(cnf, ClauseForm.FORMULA).split("\n", 1)[1] == line.strip() else None


def _bracket(inner: str) -> tuple[int, ...]:
    return tuple(-int(number) if sign else int(number) for sign, number in _LITERAL.findall(inner))


def _read_sentences(text: str) -> Cnf | None:
    head, found = _HEAD.search(text), _SENTENCE.findall(text)
    if head is None or len(_ANY_HEAD.findall(text)) != 1 or _sentences(text) != len(found):
        return None
    if [int(number) for number, _ in found] != list(range(1, len(found) + 1)):
        return None
    clauses = tuple(
        tuple(int(number) if value == "true" else -int(number) for number, value in _SAID.findall(sentence))
        for _, sentence in found
    )
    return Cnf(int(head[1]), clauses)


def _sentences(text: str) -> int:
    """Lines that may be clauses, whether or not they can be read."""
    return sum(bool(_ANY_SENTENCE.search(line)) for line in text.split("\n"))


_READERS: Mapping[ClauseForm, Callable[[str], Cnf | None]] = MappingProxyType(
    {
        ClauseForm.DIMACS: _read_dimacs,
        ClauseForm.FORMULA: _read_formula,
        ClauseForm.SENTENCES: _read_sentences,
    }
)
