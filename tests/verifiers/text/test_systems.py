"""Number systems that words speak of, and what may be equal in them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from steplabel.verifiers.text.systems import PLAIN, System, system_of

SPOKEN = {
    "base": ("What is 7 + 5 in base 8?", System(base=8)),
    "base in words": ("the base-three number system", System(base=3)),
    "two bases": ("in bases 5 and 7", System(base=7)),
    "into another base": ("from base 9 to base 10", System(base=9)),
    "base in dollars": ("in base $6$", System(base=6)),
    "base by a letter": ("written in base $b$", System(other=True)),
    "subscript": ("Add $14_8 + 3_8$.", System(base=8)),
    "binary": ("Add the binary numbers.", System(base=2)),
    "modulo": ("modulo 7", System(moduli=(7,))),
    "two moduli": (r"$a \equiv 3 \pmod{11}$ and (mod 5)", System(moduli=(5, 11))),
    "modulus by a letter": ("modulo p", System(other=True)),
    "modulus that is computed": ("modulo 10^9 + 7", System(other=True)),
    "units digit": ("the units digit of 7^2", System(moduli=(10,))),
    "last two digits": ("the last two digits", System(moduli=(10, 100))),
    "tens digit": ("the tens digit", System(moduli=(10, 100))),
    "ring": (r"in $\mathbb{Z}_7$", System(moduli=(7,))),
    "field": (r"in $\mathbb{F}_4$", System(other=True)),
    "new operation": ("A new operation is given.", System(other=True)),
    "defined operation": (r"Define the operation $a \star b$.", System(other=True)),
    "remainder": ("the remainder when 2^100 is divided by 7", System(moduli=(7,))),
    "clock": ("on a 12-hour clock", System(moduli=(12, 24))),
    "casting out nines": ("Casting out nines, we get", System(moduli=(9,))),
    "Legendre symbol": ("the Legendre symbol (2/7)", System(other=True)),
    "operation behind let": ("Let a * b = 2a + b.", System(other=True)),
    "congruent numbers": ("is congruent to 3", System(other=True)),
}
NOTHING = {
    "plain": "He has 5 apples.",
    "decimal": "in base 10",
    "base of a triangle": "A triangle with base 6 and height 4.",
    "base of a pyramid": "The height of a pyramid over base 8 is 3.",
    "base of a logarithm": "the logarithm base 5 of 125",
    "modular homes": "Of the modular homes 5 are left.",
    "arithmetic sequence": "this arithmetic sequence",
    "order of operations": "By the order of operations we multiply first.",
    "congruent figures": "congruent triangles",
    "digits": "How many digits has 5^8?",
    "an equation": "Let x + y = 3x - 2.",
    "clockwise, and clocks that are bought": "He turns clockwise and buys 3 clocks and a clock of disparity.",
    "a product": "Let a * b = 12.",
    "remainder of a sum": "She spends the remainder, 5 dollars, on books divided among 3.",
}


@pytest.mark.parametrize(("text", "expected"), SPOKEN.values(), ids=SPOKEN)
def test_spoken_of(text: str, expected: System) -> None:
    """Bases, moduli and operations are found with the numbers that they name."""
    assert system_of(text) == expected
    assert system_of(text)


@pytest.mark.parametrize("text", NOTHING.values(), ids=NOTHING)
def test_plain(text: str) -> None:
    """Words that look like those of a number system, and are none."""
    assert system_of(text, defining=True) == PLAIN
    assert not system_of(text)


def test_only_problems_define() -> None:
    """`a * b = a^2 + b` gives a sign a meaning where a problem says it; a step computes with it, or says "let"."""
    text = "So a * b = a^2 + b."
    assert system_of(text, defining=True) == System(other=True)
    assert system_of(text) == PLAIN


def test_residues_may_be_equal() -> None:
    """Values that differ by what a modulus shares a factor with may be the same residue; others may not."""
    seven = System(moduli=(7,))
    assert seven.may_equate(9, 2)
    assert not seven.may_equate(9, 3)
    assert System(moduli=(12,)).may_equate(5, 2)  # by 3
    assert not System(moduli=(12,)).may_equate(5, 4)
    assert seven.may_equate(Fraction(1, 2), 4)  # a half is 4 modulo 7


def test_unknown_rules_may_equate_anything() -> None:
    """In another base, or by rules that are not known, any two values may be the same; plain numbers are not."""
    assert System(base=8).may_equate(12, 14)
    assert System(other=True).may_equate(1, 2)
    assert not PLAIN.may_equate(1, 2)


def test_a_base_makes_sums_ambiguous() -> None:
    """In a text about base 8, `7 + 5 = 12` may be wrong; a digit that the base lacks shows decimal numbers."""
    assert System(base=8).may_differ("7 + 5 = 12")
    assert not System(base=8).may_differ("1 * 8 + 4 = 12")
    assert not PLAIN.may_differ("7 + 5 = 12")
    assert not System(moduli=(7,)).may_differ("7 + 5 = 12")


def test_joined() -> None:
    """What is spoken of adds up over the steps of a solution."""
    assert System(base=3) | System(base=8, moduli=(7,)) | PLAIN == System(base=8, moduli=(7,))
    assert System(moduli=(7,)) | System(moduli=(5,), other=True) == System(moduli=(5, 7), other=True)
