"""Words that multiply a number (dozen, million): where only some numbers have one, a sum is none of plain numbers."""

from __future__ import annotations

import re

from steplabel.verifiers.arithmetic.wording import SCALES

_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"[0-9][0-9.,]*")


def has_mixed_scales(text: str) -> bool:
    """Whether only some of a text's numbers have a scale behind them: 3 dozen + 4."""
    words = _WORD.findall(text.lower())
    scales = [word.removesuffix("s") for word in words if word in SCALES]
    return bool(scales) and (len(set(scales)) > 1 or len(scales) < len(_NUMBER.findall(text)))
