"""Pieces of text and their tokens, with tokenizers that cannot give every text back, or know few characters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from steplabel.engines.bundled import weights_path
from steplabel.engines.text.codec import load_codec
from steplabel.engines.text.pieces import PieceTokenizer


def wrapped(inner: Tokenizer, **tokens: str) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=inner, clean_up_tokenization_spaces=False, **tokens)


def word_piece() -> PieceTokenizer:
    """Lower case, and spaces that are nowhere: only words come back."""
    words = ("[UNK]", "[CLS]", "[SEP]", "the", "answer", "is", "##er", "a", ".", "##s")
    inner = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    inner.decoder = decoders.WordPiece(cleanup=False)
    inner.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return PieceTokenizer(wrapped(inner, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"))


def unigram(**options: Any) -> PieceTokenizer:
    """As T5 has it: spaces as `▁`, one added in front, unknown characters lost."""
    pieces = [("<unk>", 0.0), ("▁", -3.0), ("▁The", -2.0), ("The", -2.5), ("▁answer", -2.0), ("\n", -3.0), (".", -3.0)]
    inner = Tokenizer(models.Unigram([*pieces, *((c, -4.0) for c in "abcdefghTx1")], unk_id=0))
    inner.pre_tokenizer = pre_tokenizers.Metaspace(**options)
    inner.decoder = decoders.Metaspace(**options)
    return PieceTokenizer(wrapped(inner, unk_token="<unk>"))


def composed() -> PieceTokenizer:
    """Bytes, but in Unicode's composed form, as Qwen has it."""
    inner = Tokenizer(models.BPE({c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    inner.normalizer = normalizers.NFC()
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = decoders.ByteLevel()
    return PieceTokenizer(wrapped(inner))


def byte_fallback() -> PieceTokenizer:
    """A sign as one token, and its bytes: a model may say it either way."""
    vocabulary = {piece: i for i, piece in enumerate(["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "≤", "a"])}
    inner = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True, unk_token="<unk>"))
    inner.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()])
    return PieceTokenizer(wrapped(inner, unk_token="<unk>"))


def digits() -> PieceTokenizer:
    """Knows digits only: none of the letters it might be tried with."""
    inner = Tokenizer(models.WordLevel({"<unk>": 0, **{d: i + 1 for i, d in enumerate("0123456789")}}, "<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    inner.decoder = decoders.Fuse()
    return PieceTokenizer(wrapped(inner, unk_token="<unk>"))


@pytest.mark.parametrize("piece", ["The answer", " The answer", "\nThe", ".", " ", "  The", "The", "a b"])
@pytest.mark.parametrize("scheme", ["always", "first", "never"])
@pytest.mark.parametrize("split", [True, False])
def test_spaces_of_a_metaspace(piece: str, scheme: str, split: bool) -> None:
    """In whatever way it treats the first space, a piece comes back with its own spaces and no more."""
    tokenizer = unigram(prepend_scheme=scheme, split=split)
    assert tokenizer.text(tokenizer.following(piece)) == piece


def test_words_without_their_spaces() -> None:
    """What a tokenizer cannot keep it loses, and nothing else: no opening or closing token comes in between."""
    tokenizer = word_piece()
    assert tokenizer.following("The answer is.") == tokenizer.following("the  ANSWER is .") == (3, 4, 5, 8)
    assert tokenizer.opening == (1,)
    assert tokenizer.text(tokenizer.following("the answers")) == " the answers"


def test_a_word_begun_goes_on() -> None:
    """Behind other text, a token that continues a word does so."""
    assert word_piece().text((6,)) == "er"


def test_composed_characters() -> None:
    """Letters with their accents apart come back composed, and otherwise the text is whole."""
    tokenizer = composed()
    assert tokenizer.text(tokenizer.following("So cafe\u0301.\n")) == "So café.\n"


def test_unknown_characters() -> None:
    """They become unknown, and their neighbours stay what they are."""
    tokenizer = digits()
    assert tokenizer.following("1x2") == (2, 0, 3)
    assert tokenizer.text((2, 3)) == "12"


def test_a_sign_in_bytes() -> None:
    """Half a sign reads as more characters than all of it: no byte of it is left out, or taken without the others."""
    tokenizer = byte_fallback()
    sign, letter = tuple(1 + byte for byte in "≤".encode()), 258
    assert tokenizer.following("≤") == (257,)
    assert tokenizer.text((*sign, letter)) == "≤a"
    assert tokenizer.spelling((*sign, letter), "≤") == sign
    assert tokenizer.spelling((letter, *sign, letter), "a") == (letter,)
    assert tokenizer.spelling((letter, *sign, letter), "a≤") == (letter, *sign)


def test_ids_of_a_text_they_cannot_spell() -> None:
    """Ids that spell another text are nobody's spelling of this one."""
    tokenizer = digits()
    assert tokenizer.spelling((2, 3, 4), "12") == (2, 3)
    assert tokenizer.spelling((2, 3, 4), "13") == ()
    assert tokenizer.spelling((2, 3, 99), "12") == ()
    assert tokenizer.spelling((2,), "12") == ()
    assert tokenizer.spelling((), "12") == ()


@settings(deadline=None)
@given(data=st.data())
def test_bundled_tokens_do_not_change_by_being_continued(data: st.DataObject) -> None:
    """The bundled tokenizer has nothing to merge: prompt and prefix apart, at a line's end, are as they are in one."""
    tokenizer = load_codec(weights_path(), "")._pieces
    lines = ["Uma has 62 cards.\n", "June: gets 76 as a gift.\n", "May: 3 + 4 = 7\n", "Answer: 12\n"]
    prompt = "".join(data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=4)))
    prefix = "".join(data.draw(st.lists(st.sampled_from(lines), min_size=1, max_size=4)))
    assert tokenizer.whole(prompt) + tokenizer.following(prefix) == tokenizer.whole(prompt + prefix)
