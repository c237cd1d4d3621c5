r"""Of which number systems the words of a text speak: there, `7 + 5 = 14` or `5 + 4 = 2` may be right.

Covered: bases (`base 8`, `binary`, `14_8`), moduli and last digits with the number that they name, residue rings,
fields, operations that a text defines, hours of a clock. Not covered: a modulus named by a letter, a field and a
defined operation are only known to be there (`other`), not what holds in them.
A base beside the height of a figure is a length, and that of a logarithm is no base of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

from steplabel.verifiers.text.hints import holds_any

_NAMES = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_FIGURES = {name: number for number, name in enumerate(_NAMES.split(), start=2)}
_NAMED_BASES = {"binary": 2, "ternary": 3, "octal": 8, "hexadecimal": 16}
_DECIMAL = 10
_BASE = re.compile(
    rf"\bbases?[\s_-]{{1,3}}\$?(?:([0-9]{{1,2}}|{'|'.join(_FIGURES)})\b(?:\$?,?\s(?:and|or|to)\s\$?([0-9]{{1,2}})\b)?"
    r"|([b-z])\b)"
    rf"|\b({'|'.join(_NAMED_BASES)})\b|[0-9]_\{{?([0-9]{{1,2}})\b",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"\b(?:height|altitude|triang|pyramid|prism|cone|cylind|trapez|parallelogram|rectang|area)", re.I)
_LOGARITHM = re.compile(r"\blog(?:arithms?)?\s(?:to\s)?(?:the\s)?$")
_NEAR = 80
"""Characters on each side of a base among which a figure is looked for."""
_MODULUS = re.compile(
    r"(?:\bmod(?:ulo|ulus|ular\s+(?:arithmetic|inverse))?\b|\\[bp]?mod\b)"
    r"[\s{(~$\\;,:]*([0-9]{1,9}(?![0-9]|\s?[\^*+]|\s?\\(?:cdot|times)))?",
    re.IGNORECASE,
)
_LAST_DIGITS = re.compile(
    r"\b(units?|ones|last|final|rightmost|tens|hundreds)['\s-]{1,3}(?:place\s)?(?:(two|three)\s)?digits?\b",
    re.IGNORECASE,
)
_RING = re.compile(r"(?:\\mathbb\s*\{?\s*Z\s*\}?|\bZ|\u2124)\s?(?:_|/)\s?\{?([0-9]{1,9})?")
_REMAINDER = re.compile(
    r"\bremainders?\b[^.\n]{0,80}?\bdivi(?:ded|sion|ding)\s+(?:\w+\s+)?by\s+\$?([0-9]{1,9})\b", re.IGNORECASE
)
_SPOKEN_MODULI = {
    "clock": (
        re.compile(r"\b(?:hour\s+clock|clock\s+arithmetic|o'clock)\b", re.IGNORECASE),
        (12, 24),
    ),
    "nines": (re.compile(r"\bcasting\s+out\s+nines\b", re.IGNORECASE), (9,)),
    "digital root": (re.compile(r"\bdigital\s+root\b", re.IGNORECASE), (9,)),
    "parity": (re.compile(r"\bparity\b", re.IGNORECASE), (2,)),
}
"""Words that say by what residues are taken: casting out nines, hours on a clock."""
_OTHER = re.compile(
    r"\\mathbb\s*\{?\s*F\s*\}?\s*_|[\u2124\U0001d53d][_/\u2080-\u2089]|\bGF\s*\(|\bF_\{?[0-9]|\bcharacteristic\b"
    r"|\bcongruen\w*(?![^.\n]{0,40}\b(?:triang|angle|side|segment|figure|circle))"
    r"|\bin\s+this\s+(?:system|ring|field)\b"
    r"|\b(?:this|new|strange|special|following)\s+(?:number\s+)?(?:system|operat(?:ion|or)|arithmetic"
    r"(?!\s(?:sequence|progression|series|mean)))\b"
    r"|\b(?:legendre|jacobi|kronecker)\b|\breciprocity\b|\b(?:xor|bitwise)\b"
    r"|\bdefin\w+[^.\n]{0,30}\boperat(?:ion|or)|\boperat(?:ion|or)\b[^.\n]{0,40}\bdefin|\boperat(?:ion|or)s?\s+[$@#*\\]",
    re.IGNORECASE,
)
_REDEFINED = re.compile(
    r"(?<![a-z\\])([a-z])\s{0,3}(?:[*/@#&\u2217\u2295\u2297\u00d7]|\\[a-z]{2,12}\s)\s{0,3}[a-z]\s{0,3}="
    r"(?:(?!\s(?:and|or|for|where|if|is)\b)[^=\n,;]){0,60}?(?<![a-z])\1(?![a-z])"
)
"""Let a * b = a^2 + b."""
_DEFINED = re.compile(r"\b(?:let|defin\w+|denot\w+)\b[^.\n]{0,40}$", re.IGNORECASE)
_HINT_WORDS = """
    base binary octal hexadecimal ternary _ mod digit mathbb gf z/ \u2124 \U0001d53d system operat arithmetic congruen
    ring characteristic remainder legendre jacobi kronecker reciprocity xor bitwise defin denot
"""
_HINTS = (*_HINT_WORDS.split(), "let ", *_SPOKEN_MODULI)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What is spoken of besides plain numbers.

    Attributes:
        base: the largest base but ten; 0 if there is none.
        moduli: what residues are taken by; 10 for the last digit, 100 for the last two.
        other: whether something is spoken of that is not known here.
    """

    base: int = 0
    moduli: tuple[int, ...] = ()
    other: bool = False

    def __or__(self, more: System) -> System:
        """Both."""
        if not more or self == more:
            return self
        moduli = tuple(sorted({*self.moduli, *more.moduli}))
        return System(base=max(self.base, more.base), moduli=moduli, other=self.other or more.other)

    def __bool__(self) -> bool:
        """Whether there is anything but plain numbers."""
        return bool(self.base or self.moduli or self.other)

    def may_equate(self, left: Fraction | int, right: Fraction | int) -> bool:
        """Whether two values that differ may be the same: in another base, as residues, by a rule that is not known.

        A factor of a modulus counts as one: residues by 12 are looked for by 3 and by 4.
        """
        if self.other or self.base:
            return True
        one, other = Fraction(left), Fraction(right)
        if not one.denominator == other.denominator == 1:
            return bool(self.moduli)  # a half is a whole number modulo 7
        return any(gcd(one.numerator - other.numerator, modulus) > 1 for modulus in self.moduli)

    def may_differ(self, printed: str) -> bool:
        """Whether sides that are equal may not be: a base is named, and it has all digits that are printed."""
        return bool(self.base) and not any("0" <= digit <= "9" and int(digit) >= self.base for digit in printed)


PLAIN = System()


def system_of(text: str, *, defining: bool = False) -> System:
    """What a text speaks of.

    Args:
        text: of a problem or a step.
        defining: whether it may give signs a meaning of its own (`a * b = a^2 + b`), as problems do; steps do so
            only behind "let" or "define".
    """
    system = PLAIN
    if holds_any(text, _HINTS):
        moduli = tuple(sorted({*_moduli(text)} - {0, 1}))
        unnamed = any(not found[1] for pattern in (_MODULUS, _RING) for found in pattern.finditer(text))
        bases = set(_bases(text))
        other = unnamed or 0 in bases or _OTHER.search(text) is not None
        system = System(base=max(bases, default=0), moduli=moduli, other=other or _redefines(text))
    if defining and _REDEFINED.search(text):
        system |= System(other=True)
    return system


def _redefines(text: str) -> bool:
    """Whether a step gives a sign a meaning of its own, and says so: Let a * b = 2a + b."""
    return any(_DEFINED.search(text[max(0, one.start() - _NEAR) : one.start()]) for one in _REDEFINED.finditer(text))


def _bases(text: str) -> Iterator[int]:
    """Each base but ten; 0 for one that is named by a letter."""
    for found in _BASE.finditer(text):
        first, second, letter, name, subscript = found.groups()
        if (first or letter) and _LENGTH.search(text[max(0, found.start() - _NEAR) : found.end() + _NEAR]):
            continue
        if _LOGARITHM.search(text[max(0, found.start() - _NEAR) : found.start()]):
            continue
        if letter:
            yield 0
        for named in (first, second, name, subscript):
            base = _number(named) if named else _DECIMAL
            if 2 <= base <= 36 and base != _DECIMAL:
                yield base


def _number(named: str) -> int:
    if named[0] in "0123456789":
        return int(named)
    return (_FIGURES | _NAMED_BASES)[named.lower()]


def _moduli(text: str) -> Iterator[int]:
    for pattern, moduli in _SPOKEN_MODULI.values():
        if pattern.search(text):
            yield from moduli
    yield from (int(found[1]) for found in _REMAINDER.finditer(text))
    for pattern in (_MODULUS, _RING):
        yield from (int(found[1]) for found in pattern.finditer(text) if found[1])
    for found in _LAST_DIGITS.finditer(text):
        place = {"tens": 2, "hundreds": 3}.get(found[1].lower(), 1)
        digits = max(place, {"two": 2, "three": 3}.get((found[2] or "").lower(), 1))
        yield from (10**digit for digit in range(1, digits + 1))
