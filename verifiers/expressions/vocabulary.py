r"""The LaTeX commands that the descent knows, by what they are."""

from __future__ import annotations

from typing import Final

from steplabel.verifiers.expressions.ast import Operator

TIMES: Final = ("times", "cdot", "ast", "*")
OVER: Final = ("div", "/")
TRIGONOMETRY: Final = {"sin": Operator.SINE, "cos": Operator.COSINE, "tan": Operator.TANGENT}
OF_MANY: Final = {"gcd": Operator.GCD, "lcm": Operator.LCM, "max": Operator.MAXIMUM, "min": Operator.MINIMUM}
FUNCTIONS: Final = frozenset({*TRIGONOMETRY, *OF_MANY, "log", "ln"})
FRACTIONS: Final = ("frac", "dfrac", "tfrac", "cfrac")
BINOMIALS: Final = ("binom", "dbinom", "tbinom")
_GREEK_LETTERS = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta kappa lambda mu nu xi rho sigma tau phi varphi chi
    psi omega ell
"""
GREEK: Final = frozenset(_GREEK_LETTERS.split())
FIGURES: Final = ("angle", "triangle")
_OTHERS = ("sqrt", "pi", "lfloor", "lceil", "boxed", "overline", "$")
OPENING: Final = frozenset({*GREEK, *FUNCTIONS, *FRACTIONS, *BINOMIALS, *FIGURES, *_OTHERS})
"""What a factor may begin with."""
