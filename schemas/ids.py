"""Content-addressed ids: equal content has an equal id, on any machine, in any run.

An id is the first 128 bits of a SHA-256 over a JSON array of its parts. The array frames the parts (no two
different part lists give the same bytes) and 128 bits keep the chance of one collision among 10^12 ids
below 10^-14, at half the bytes of a full digest in every row.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

ID_HEX_DIGITS = 32
_ENCODER = msgspec.json.Encoder(order="deterministic")


def content_id(kind: str, *parts: Any) -> str:
    """Return the id of `parts` under the namespace `kind`: 32 lower-case hex digits.

    Parts may be anything msgspec can write as JSON: text, numbers, None, tuples, records.

    Raises:
        TypeError: a part has no JSON form.
        UnicodeEncodeError: a text holds lone surrogates (`check_text` refuses these where data enters).
    """
    return hashlib.sha256(_ENCODER.encode((kind, *parts))).hexdigest()[:ID_HEX_DIGITS]


def derive_seed(*parts: Any) -> int:
    """Return a 63-bit seed that depends on nothing but `parts` (no clock, no global state)."""
    return int(content_id("seed", *parts)[:16], 16) >> 1
