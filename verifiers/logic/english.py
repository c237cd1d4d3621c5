"""The same formulas in controlled English: sentences for people and models that can be read back in one way only.

    if anna is tall, then it is not the case that both rain happens and ben is calm
    everything that is tall is calm        something is tall        nothing that is tall is calm

Covered: every formula that `notation` reads, by words that open a bracket of their own (`both ... and ...`, `either ...
or ...`, `if ..., then ...`, `for every x, ...`), with shorter sentences for what is common. Names stay names:
`{tall}` is said as `is tall`, the proposition `{rain}` as `rain happens`. Not covered: other English, sentences
that begin with a capital unless it is a name's; they are unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from steplabel.verifiers.logic.formulas import (
    MAX_DEPTH,
    MAX_NAME_CHARS,
    And,
    Atom,
    Constant,
    Equal,
    Exists,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Term,
    Variable,
    depth,
    is_closed,
)
from steplabel.verifiers.logic.notation import MAX_CHARS, Unreadable

_WORD = re.compile(r"\s*(?:([A-Za-z][A-Za-z0-9_]*)|(,))")
_VARIABLE = re.compile(r"[xyzwu][0-9]?")
_X = Variable("x")
_GRAMMAR = """
all and any as both case does either every everything for happen happens if is it not nothing of or same some something
that the then together
"""
_NO_NAMES = """
anybody anyone anything each everybody everyone few many most neither no nobody none noone one other others somebody
someone another he her him his i itself its me she their them they these this those us we what which who whoever you
but nor never always only unless because when are was were be false happening occurs occurring true untrue
"""
RESERVED = frozenset((*_GRAMMAR.split(), *_NO_NAMES.split()))
"""Words that carry the grammar, and words that in English name no one thing: no name may be one of them, in capitals or
not. "Everyone is calm" would else be read as said of one person."""


def say(formula: Formula) -> str:  # noqa: C901, PLR0911 - one case for each kind
    """A formula as one sentence without a full stop. `hear` reads it back as it was.

    Raises:
        Unreadable: a name that the grammar needs for itself (`RESERVED`), or that looks like a variable.
    """
    short = _short(formula)
    if short:
        return short
    match formula:
        case Atom(name, None):
            return f"{_name(name)} happens"
        case Atom(name, term):
            return f"{_term(term)} is {_name(name)}"
        case Equal(left, right):
            return f"{_term(left)} is the same as {_term(right)}"
        case Not(Atom(name, None)):
            return f"{_name(name)} does not happen"
        case Not(Atom(name, term)):
            return f"{_term(term)} is not {_name(name)}"
        case Not(part):
            return f"it is not the case that {say(part)}"
        case And(parts):
            return _listed(parts, "both {} and {}", "all of")
        case Or(parts):
            return _listed(parts, "either {} or {}", "any of")
        case Implies(left, right):
            return f"if {say(left)}, then {say(right)}"
        case ForAll(variable, body):
            return f"for every {variable.name}, {say(body)}"
        case Exists(variable, body):
            return f"for some {variable.name}, {say(body)}"


def _listed(parts: tuple[Formula, ...], pair: str, many: str) -> str:
    said = [say(part) for part in parts]
    return pair.format(*said) if len(said) == 2 else f"{many} {', '.join(said)} together"


def _short(formula: Formula) -> str:
    """The common sentences about everything, nothing and something; empty for all others."""
    match formula:
        case ForAll(Variable("x"), Implies(Atom(left, Variable("x")), Atom(right, Variable("x")))):
            return f"everything that is {_name(left)} is {_name(right)}"
        case ForAll(Variable("x"), Implies(Atom(left, Variable("x")), Not(Atom(right, Variable("x"))))):
            return f"nothing that is {_name(left)} is {_name(right)}"
        case ForAll(Variable("x"), Atom(name, Variable("x"))):
            return f"everything is {_name(name)}"
        case Exists(Variable("x"), Atom(name, Variable("x"))):
            return f"something is {_name(name)}"
        case Exists(Variable("x"), And((Atom(left, Variable("x")), Atom(right, Variable("x"))))):
            return f"something that is {_name(left)} is {_name(right)}"
    return ""


def _name(name: str) -> str:
    if name.lower() in RESERVED or _VARIABLE.fullmatch(name.lower()):
        raise Unreadable(f"{name!r} cannot be a name in a sentence")
    return name


def _term(term: Term | None) -> str:
    assert term is not None  # noqa: S101 - the caller matched it
    return term.name if isinstance(term, Variable) else _name(term.name)


def hear(text: str) -> Formula:
    """Read one sentence that `say` could have said.

    Raises:
        Unreadable: any other text.
    """
    if len(text) > MAX_CHARS:
        raise Unreadable(f"{len(text):,} characters; sentences have at most {MAX_CHARS:,}")
    hearing = _Hearing(_words(text))
    formula = hearing.sentence(MAX_DEPTH)
    if hearing.word:
        raise Unreadable(f"what follows the sentence: {hearing.word!r}")
    if not is_closed(formula):
        raise Unreadable("a variable stands under no quantifier")
    if depth(formula) > MAX_DEPTH:
        raise Unreadable(f"deeper than {MAX_DEPTH} levels")
    return formula


def _words(text: str) -> list[str]:
    found, end = [], 0
    text = text.strip().removesuffix(".")
    while match := _WORD.match(text, end):
        found.append(match[1] or ",")
        end = match.end()
        if len(found[-1]) > MAX_NAME_CHARS:
            raise Unreadable(f"a word of {len(found[-1])} characters; at most {MAX_NAME_CHARS}")
    if text[end:].strip():
        raise Unreadable(f"{text[end:].strip()[:20]!r} is no part of a sentence")
    return found


class _Hearing:
    """Recursive descent over words; each level takes one from `levels`."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._next = 0

    @property
    def word(self) -> str:
        """The next word; empty at the end."""
        return self._words[self._next] if self._next < len(self._words) else ""

    def heard(self, *words: str) -> bool:
        """Whether these words come next; if so they are taken."""
        if tuple(self._words[self._next : self._next + len(words)]) != words:
            return False
        self._next += len(words)
        return True

    def need(self, *words: str) -> None:
        """Take these words, which have to come next."""
        if not self.heard(*words):
            raise Unreadable(f"{self.word!r} where {' '.join(words)!r} should stand")

    def name(self) -> str:
        """Take a word that is a name."""
        return _name(self._any())

    def _any(self) -> str:
        if not self.word or self.word == ",":
            raise Unreadable("the sentence ends too early")
        self._next += 1
        return self._words[self._next - 1]

    def sentence(self, levels: int) -> Formula:
        """One sentence."""
        if levels <= 0:
            raise Unreadable(f"deeper than {MAX_DEPTH} levels")
        for opening, read in _OPENINGS.items():
            if self.heard(*opening.split()):
                return read(self, levels - 1)
        return self._plain()

    def two(self, conjunction: str, levels: int) -> tuple[Formula, ...]:
        """Two sentences and the word between them."""
        left = self.sentence(levels)
        self.need(conjunction)
        return (left, self.sentence(levels))

    def several(self, levels: int) -> tuple[Formula, ...]:
        """Three or more sentences, up to the word that closes the list."""
        parts = [self.sentence(levels)]
        while self.heard(","):
            parts.append(self.sentence(levels))
        self.need("together")
        if len(parts) < 3:
            raise Unreadable(f"a list of {len(parts)}; two have words of their own")
        return tuple(parts)

    def condition(self, levels: int) -> Formula:
        """What follows `if`."""
        left = self.sentence(levels)
        self.need(",", "then")
        return Implies(left, self.sentence(levels))

    def variable(self) -> Variable:
        """The variable after `for every` or `for some`, and its comma."""
        name = self._any()
        if not _VARIABLE.fullmatch(name):
            raise Unreadable(f"{name!r} is no variable")
        self.need(",")
        return Variable(name)

    def pair(self) -> tuple[Atom, Atom]:
        """`tall is calm`, said of x."""
        left = self.name()
        self.need("is")
        return Atom(left, _X), Atom(self.name(), _X)

    def _plain(self) -> Formula:
        first = self._any()
        if self.heard("happens"):
            return Atom(_name(first))
        if self.heard("does", "not", "happen"):
            return Not(Atom(_name(first)))
        term = Variable(first) if _VARIABLE.fullmatch(first) else Constant(_name(first))
        self.need("is")
        if self.heard("the", "same", "as"):
            other = self._any()
            return Equal(term, Variable(other) if _VARIABLE.fullmatch(other) else Constant(_name(other)))
        negative = self.heard("not")
        atom = Atom(self.name(), term)
        return Not(atom) if negative else atom


def _everything_that(hearing: _Hearing, _: int) -> Formula:
    left, right = hearing.pair()
    return ForAll(_X, Implies(left, right))


def _nothing_that(hearing: _Hearing, _: int) -> Formula:
    left, right = hearing.pair()
    return ForAll(_X, Implies(left, Not(right)))


def _something_that(hearing: _Hearing, _: int) -> Formula:
    return Exists(_X, And(hearing.pair()))


_OPENINGS: Mapping[str, Callable[[_Hearing, int], Formula]] = MappingProxyType(
    {
        "everything that is": _everything_that,
        "nothing that is": _nothing_that,
        "something that is": _something_that,
        "everything is": lambda hearing, _: ForAll(_X, Atom(hearing.name(), _X)),
        "something is": lambda hearing, _: Exists(_X, Atom(hearing.name(), _X)),
        "it is not the case that": lambda hearing, levels: Not(hearing.sentence(levels)),
        "both": lambda hearing, levels: And(hearing.two("and", levels)),
        "either": lambda hearing, levels: Or(hearing.two("or", levels)),
        "all of": lambda hearing, levels: And(hearing.several(levels)),
        "any of": lambda hearing, levels: Or(hearing.several(levels)),
        "if": _Hearing.condition,
        "for every": lambda hearing, levels: ForAll(hearing.variable(), hearing.sentence(levels)),
        "for some": lambda hearing, levels: Exists(hearing.variable(), hearing.sentence(levels)),
    }
)
"""The words that open a sentence, the longer ones first, and what reads its rest."""
