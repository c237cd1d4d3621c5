"""What a step comes to, in one canonical word: steps of equal result lead to equal states.

Covered: whole and decimal numbers with thousands commas, fractions (`3/4`, `\\frac{3}{4}`), per cent, a sign.
The number that follows the last "=" counts; without one, the step's last number. Not covered: results that
are no number (a formula, a name), units (12 hours and 12 metres are one result), numbers of more than 40
digits. Equal results at different places of a solution are taken as one state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from steplabel.schemas import Step
from steplabel.schemas.segmentation import STEP_MARKER

_MARKERS = re.compile(rf"^{STEP_MARKER}", re.MULTILINE)
_CALCULATOR = re.compile(r"<<[^<>]{0,200}>>")
_FRACTION = re.compile(r"\\[dt]?frac\{([0-9]{1,40})\}\{([0-9]{1,40})\}")
# ASCII digits only, of bounded length: what comes next is arithmetic on model text.
_WHOLE = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,12}|[0-9]{1,40})"
_NUMBER = re.compile(rf"(?<![\w.,])-?{_WHOLE}(?:\.[0-9]{{1,40}})?(?:/[0-9]{{1,40}}(?!\w|\.[0-9]))?(?![0-9])\\?%?")


class StepResult(Protocol):
    """From a step to the canonical word of what it comes to; None where it states nothing."""

    def __call__(self, step: Step) -> str | None:
        """The result of one step."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LastNumber:
    """The last number that a step asserts, as `last_number` reads it."""

    def __call__(self, step: Step) -> str | None:
        """The result of one step."""
        return last_number(step.text)


def last_number(text: str) -> str | None:
    """The number a step asserts last, in lowest terms: `1,234.50` is `2469/2`, `50%` stays `50%`; None without one.

    Step markers ("Step 3:") and calculator marks (`<<2*3=6>>`) are not read.
    """
    plain = _FRACTION.sub(r"\1/\2", _CALCULATOR.sub("", _MARKERS.sub("", text)))
    claimed = _NUMBER.search(plain, plain.rfind("=") + 1) if "=" in plain else None
    if claimed is None:
        *_, claimed = (None, *_NUMBER.finditer(plain))
    return _normal(claimed.group()) if claimed else None


def _normal(number: str) -> str | None:
    percent = "%" if number.endswith("%") else ""
    above, _, below = number.rstrip("%\\").replace(",", "").partition("/")
    if below and not int(below):
        return None
    return f"{Fraction(above) / int(below or 1)}{percent}"
