r"""What counts as the same text: normalisation, words, and n-grams as 64-bit numbers.

Two readings, for two questions. *Words* (`\w+` after NFKC and case folding) ignore case, punctuation and layout,
as GPT-3's search for contamination does (Brown et al. 2020, arXiv:2005.14165, appendix C): a test item is the
same item with other punctuation. *Tokens* are words and, each by itself, every sign that is not white space:
2+3 and 2-3 are different solutions.

Not covered: languages that put no space between words have long "words", so few n-grams match there.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_GRAM_BYTES = 8


def squeezed(text: str) -> str:
    """The text with every run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def words(text: str) -> list[str]:
    """Words, without case and punctuation."""
    return _WORD.findall(_folded(text))


def tokens(text: str) -> list[str]:
    """Words and single signs, without case."""
    return _TOKEN.findall(_folded(text))


def _folded(text: str) -> str:
    """Without case and compatibility forms: compatibility caseless matching of the Unicode standard (D146)."""
    if text.isascii():
        return text.lower()
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def gram(parts: Sequence[str]) -> int:
    """The parts as one number in [0, 2**64); equal on every machine, unlike `hash`."""
    joined = " ".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=_GRAM_BYTES).digest(), "little")


def grams(parts: Sequence[str], n: int) -> list[int]:
    """Each n neighbours as a number, in order; a shorter sequence is one gram, an empty one has none."""
    if len(parts) <= n:
        return [gram(parts)] if parts else []
    return [gram(parts[i : i + n]) for i in range(len(parts) - n + 1)]
