"""Tokens of a text that stands behind another, and the text of such tokens: where two pieces meet, nothing is
added, nothing is lost, and no token reaches across.

Tokenizers are made for whole texts. Told to encode a piece, many put a space in front of it; told to decode one,
they take it off again (Llama 2 and most with a `▁` do both). A piece is therefore encoded in several ways, of which
the first is taken that reads back as the very piece; and it is decoded behind an anchor, some ordinary token.

Covered: every tokenizer that can give a text back. Not covered: those that cannot (lower case, unknown characters,
Unicode normal forms); from them comes the nearest they have.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

ANCHORS: Final = ("a", "\n", ".", "1")  # no piece merges with all of them, and hardly a tokenizer knows none
HALF: Final = "\ufffd"  # what the bytes of half a character read as


class PieceTokenizer:
    """A Hugging Face tokenizer for pieces of text. Thread-safe: callers encode while rows decode.

    Attributes:
        opening: ids that it puts in front of a whole text, such as a `<s>`.
        special_ids: tokens that control the model and are no part of its words.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # A fast tokenizer refuses to be used while another thread changes its padding settings.
        self._lock = threading.Lock()
        known = tokenizer.added_tokens_decoder.items()
        self.special_ids = frozenset(tokenizer.all_special_ids) | {id_ for id_, token in known if token.special}
        self.opening = self._opening()
        self._size = len(tokenizer)
        texts = sorted((token.content for _, token in known), key=len, reverse=True)
        self._added = re.compile(f"({'|'.join(map(re.escape, texts))})" if texts else r"(?!)")
        self._anchors = [anchor for anchor in ANCHORS if not self.special_ids.intersection(self.whole(anchor))]
        self._anchor, self._anchor_text = self._visible_anchor()

    def whole(self, text: str) -> tuple[int, ...]:
        """Ids of a text that nothing stands before; without `opening`."""
        with self._lock:
            # Too long a prompt is the engine's to refuse: the tokenizer only logs it.
            return tuple(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def following(self, piece: str) -> tuple[int, ...]:
        """Ids of `piece` where it stands behind other text, which its tokens leave alone."""
        readings = []
        for ids in self._readings(piece):
            if self.text(ids, special=True) == piece:
                return ids
            readings.append(ids)
        # Around tokens that were added to the vocabulary, spaces are put in and taken off as well.
        parts = [part for part in self._added.split(piece) if part]
        if len(parts) > 1:
            return tuple(chain.from_iterable(map(self.following, parts)))
        return readings[-1]

    def text(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Text of ids that stand behind others; `special` tokens are left out of it unless wanted."""
        with self._lock:
            text = self._decode((*self._anchor, *ids), special=special)
            if not text.startswith(self._anchor_text):
                return self._decode(ids, special=special)
        return text[len(self._anchor_text) :]

    def spelling(self, ids: Sequence[int], text: str) -> tuple[int, ...]:
        """As many of the first `ids` as lie wholly within `text`, which they begin; special ones behind it do not.

        Empty where the ids do not spell `text` and perhaps more: they are another text's, or another tokenizer's.
        """
        if not ids or not 0 <= min(ids) <= max(ids) < self._size or not self.text(ids).startswith(text):
            return ()
        past = bisect_right(range(len(ids)), len(text), key=lambda count: len(self.text(ids[:count])))
        count = min(past, len(ids))
        # Lengths grow with the number of tokens, but for the halves of a character, which read as one or more.
        while count < len(ids) and self.text(ids[:count]).endswith(HALF):
            count += 1
        while not text.startswith(self.text(ids[:count])):
            count -= 1
        while count and ids[count - 1] in self.special_ids:
            count -= 1
        return tuple(ids[:count])

    def texts_of(self, ids: Iterable[int]) -> list[str]:
        """How these tokens are written."""
        return [str(text) for text in self._tokenizer.convert_ids_to_tokens(list(ids))]

    def _readings(self, piece: str) -> Iterator[tuple[int, ...]]:
        yield self.whole(piece)
        for anchor in self._anchors:
            alone, both = self.whole(anchor), self.whole(anchor + piece)
            if both[: len(alone)] == alone:
                yield both[len(alone) :]

    def _opening(self) -> tuple[int, ...]:
        for probe in ANCHORS:
            full, alone = self._tokenizer(probe)["input_ids"], list(self.whole(probe))
            places = (at for at in range(len(full)) if full[at : at + len(alone)] == alone)
            if alone and (at := next(places, None)) is not None:
                return tuple(full[:at])
        return ()

    def _visible_anchor(self) -> tuple[tuple[int, ...], str]:
        ids = [self.whole(anchor) for anchor in self._anchors]
        texts = [self._decode(anchor, special=True) for anchor in ids]
        return next(((anchor, text) for anchor, text in zip(ids, texts, strict=True) if text), ((), ""))

    def _decode(self, ids: Iterable[int], *, special: bool) -> str:
        text: str = self._tokenizer.decode(
            list(ids), skip_special_tokens=not special, clean_up_tokenization_spaces=False
        )
        return text
