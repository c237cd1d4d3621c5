"""Small texts that are looked for before a pattern is: it takes a tenth of the pattern's time to see that none stands.

Not covered: words. A hint is any part of a text; "no" stands in "know".
"""

from __future__ import annotations

from collections.abc import Sequence


def holds_any(text: str, hints: Sequence[str]) -> bool:
    """Whether one of some hints, in small letters, stands in a text, however that is written."""
    return any(map(text.lower().__contains__, hints))
