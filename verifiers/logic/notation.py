"""FoVer's notation: `(x): ({A}x & {B}x) -> ¬{C}{a}`. A printer, and a reader that takes nothing on a guess.

Covered: names in braces, propositions `{A}`, predicates of a constant `{A}{a}` or of a variable `{A}x`, equations
`{a} = {b}`, `¬` (also `~`), `&`, `v`, `->` and their Unicode signs, `(x):`, `(Ex):` (also without colons).
Not covered, so unreadable: free variables; constants that begin with a capital (`{A} = {B}`, `{A} {B}`); predicates of
two places; what can be read in two ways, since readers of such texts differ: `&` beside `v` without brackets, two
arrows in a row, a quantifier behind a connective without brackets, `(Ex)` whose body is an implication without
brackets. `(x)` reaches to the end, as in FLD.
"""

from __future__ import annotations

import re

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

MAX_CHARS = 2_000
"""No formula is longer: FoVer's are below 200."""

_TOKEN = re.compile(
    r"\s*(?:(?P<all>\((?P<bound>[xyzwu][0-9]?)\):?)|(?P<some>\(E(?P<found>[xyzwu][0-9]?)\):?)"
    r"|\{(?P<name>[A-Za-z][A-Za-z0-9_]*)\}"
    r"|(?P<arrow>->|\u2192)|(?P<and>[&\u2227])|(?P<or>[v\u2228])|(?P<not>[¬~])|(?P<open>\()|(?P<close>\))|(?P<equal>=)"
    r"|(?P<variable>[xyzwu][0-9]?))"
)


class Unreadable(ValueError):  # noqa: N818 - says what happened
    """The text is no formula of the notation; the message says where."""


def show(formula: Formula) -> str:
    """A formula in FoVer's notation, with brackets as FLD sets them. `read_formula` reads it back as it was."""
    if isinstance(formula, Implies):
        return f"{_part(formula.left)} -> {_part(formula.right)}"
    if isinstance(formula, (ForAll, Exists)):
        body = show(formula.body) if isinstance(formula, ForAll) else _part(formula.body)
        mark = "" if isinstance(formula, ForAll) else "E"
        return f"({mark}{formula.variable.name}): {body}"
    return _part(formula)


def _part(formula: Formula) -> str:  # noqa: PLR0911 - one return for each kind
    """A formula that another one may hold: in brackets where needed."""
    match formula:
        case Atom(name, None):
            return f"{{{name}}}"
        case Atom(name, term):
            return f"{{{name}}}{_term(term)}"
        case Equal(left, right):
            return f"({_term(left)} = {_term(right)})"
        case Not(part):
            return f"¬{_part(part)}"
        case And(parts):
            return f"({' & '.join(map(_part, parts))})"
        case Or(parts):
            return f"({' v '.join(map(_part, parts))})"
    return f"({show(formula)})"


def _term(term: Term | None) -> str:
    assert term is not None  # noqa: S101 - the caller matched it
    return f"{{{term.name}}}" if isinstance(term, Constant) else term.name


def read_formula(text: str) -> Formula:
    """Read one closed formula.

    Raises:
        Unreadable: anything but exactly one formula in this notation, within the bounds on length, depth and names.
    """
    if len(text) > MAX_CHARS:
        raise Unreadable(f"{len(text):,} characters; formulas have at most {MAX_CHARS:,}")
    reader = _Reader(_tokens(text))
    formula = reader.formula(MAX_DEPTH)
    if reader.kind:
        raise Unreadable(f"what follows the formula: {reader.text!r}")
    if not is_closed(formula):
        raise Unreadable("a variable stands under no quantifier")
    if depth(formula) > MAX_DEPTH:
        raise Unreadable(f"deeper than {MAX_DEPTH} levels")
    return formula


def _tokens(text: str) -> list[tuple[str, str]]:
    found, end = [], 0
    while match := _TOKEN.match(text, end):
        kind = match.lastgroup or ""
        value = match["bound"] or match["found"] or match["name"] or match["variable"] or match[0].strip()
        if len(value) > MAX_NAME_CHARS:
            raise Unreadable(f"a name of {len(value)} characters; at most {MAX_NAME_CHARS}")
        found.append((_KINDS.get(kind, kind), value))
        end = match.end()
    if text[end:].strip():
        raise Unreadable(f"{text[end:].strip()[:20]!r} is no part of the notation")
    return found


_KINDS = {"bound": "all", "found": "some"}
"""The group that closes last names the token; these two lie within theirs."""


class _Reader:
    """Recursive descent over tokens; every level takes one from `levels`, so hostile nesting ends early."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._next = 0
        self._last_bracketed: Formula | None = None

    @property
    def kind(self) -> str:
        """Kind of the next token; empty at the end."""
        return self._tokens[self._next][0] if self._next < len(self._tokens) else ""

    @property
    def text(self) -> str:
        """Its name or sign."""
        return self._tokens[self._next][1] if self._next < len(self._tokens) else "the end"

    def take(self, kind: str) -> str:
        """The next token's name or sign; it has to be of this kind."""
        if self.kind != kind:
            raise Unreadable(f"{self.text!r} where {kind} should stand")
        self._next += 1
        return self._tokens[self._next - 1][1]

    def formula(self, levels: int) -> Formula:
        """Anything, up to the bracket that closes it or the end."""
        if self.kind in ("all", "some"):
            return self._quantified(_spent(levels))
        left = self._connected(_spent(levels))
        if self.kind != "arrow":
            return left
        self.take("arrow")
        right = self._connected(_spent(levels))
        if self.kind == "arrow":
            raise Unreadable("two arrows in a row; set brackets")
        return Implies(left, right)

    def _quantified(self, levels: int) -> Formula:
        kind = self.kind
        variable = Variable(self.take(kind))
        body = self.formula(levels)
        if kind == "all":
            return ForAll(variable, body)
        if isinstance(body, Implies) and body is not self._last_bracketed:
            raise Unreadable("(Ex) before an implication without brackets")
        return Exists(variable, body)

    def _connected(self, levels: int) -> Formula:
        first = self._unit(_spent(levels))
        sign = self.kind
        if sign not in ("and", "or"):
            return first
        parts = [first]
        while self.kind == sign:
            self.take(sign)
            parts.append(self._unit(_spent(levels)))
        if self.kind in ("and", "or"):
            raise Unreadable("& beside v without brackets")
        return And(tuple(parts)) if sign == "and" else Or(tuple(parts))

    def _unit(self, levels: int) -> Formula:
        negations = 0
        while self.kind == "not":
            self.take("not")
            negations += 1
        if negations > levels:
            raise Unreadable("too many negations in a row")
        unit = self._bracketed(levels) if self.kind == "open" else self._atom()
        for _ in range(negations):
            unit = Not(unit)
        return unit

    def _bracketed(self, levels: int) -> Formula:
        self.take("open")
        inner = self.formula(_spent(levels))
        self.take("close")
        self._last_bracketed = inner
        return inner

    def _atom(self) -> Formula:
        if self.kind == "variable":
            return self._equation(Variable(self.take("variable")))
        name = self.take("name")
        if self.kind == "equal":
            return self._equation(_constant(name))
        if self.kind not in ("name", "variable"):
            return Atom(name)
        term = self._term()
        if self.kind in ("name", "variable"):
            raise Unreadable(f"{{{name}}} is said of two things; only predicates of one place are read")
        return Atom(name, term)

    def _equation(self, left: Term) -> Formula:
        self.take("equal")
        return Equal(left, self._term())

    def _term(self) -> Term:
        if self.kind == "variable":
            return Variable(self.take("variable"))
        return _constant(self.take("name"))


def _constant(name: str) -> Constant:
    if name[0].isupper():  # `{A} = {B}` means two propositions that are equivalent, `{A} {B}` nothing
        raise Unreadable(f"{{{name}}} where a constant should stand: constants begin with a small letter")
    return Constant(name)


def _spent(levels: int) -> int:
    if levels <= 0:
        raise Unreadable(f"deeper than {MAX_DEPTH} levels")
    return levels - 1
