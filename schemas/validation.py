"""Checks on what enters. Records call them in `__post_init__`, so a bad value cannot travel further."""

from __future__ import annotations

import re
from collections.abc import Sized

from steplabel.schemas.errors import DataError

MAX_TEXT_CHARS = 1_000_000
"""No text of a problem or solution is longer: past this it is an attack or a broken export, not reasoning."""

# NUL and the other C0 controls but tab, newline, vertical tab, form feed and return; lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\ud800-\udfff]")


def check_text(value: str, *, field: str, allow_empty: bool = True, max_chars: int = MAX_TEXT_CHARS) -> None:
    """Refuse text that no later stage can carry faithfully.

    Raises:
        DataError: not a str, empty where that is not allowed, over-long, NUL or other control characters,
            or lone surrogates (they cannot be written as UTF-8, so neither hashed nor stored).
    """
    if not isinstance(value, str):
        raise DataError(f"{field}: expected text, got {type(value).__name__}")
    if not allow_empty and not value.strip():
        raise DataError(f"{field}: is empty")
    if len(value) > max_chars:
        raise DataError(f"{field}: {len(value):,} characters, more than the {max_chars:,} allowed")
    if bad := _FORBIDDEN.search(value):
        kind = "lone surrogate" if bad[0] >= "\ud800" else "control character"
        raise DataError(f"{field}: {kind} U+{ord(bad[0]):04X} at character {bad.start()}")


def check_between(value: float, *, field: str, low: float, high: float) -> None:
    """Raise DataError unless low <= value <= high (NaN is refused)."""
    if not low <= value <= high:
        raise DataError(f"{field}: {value!r} is not between {low} and {high}")


def check_same_length(*, left: Sized, right: Sized, names: tuple[str, str]) -> None:
    """Raise DataError unless both have one entry for each step."""
    if len(left) != len(right):
        raise DataError(f"{names[0]} has {len(left)} entries but {names[1]} has {len(right)}")
