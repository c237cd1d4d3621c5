"""The bundled tokenizer: whole words, single digits, nothing to merge.

A word piece takes the spaces beside it along, and punctuation the space or newline after it, so that a prompt
costs a fifth fewer tokens than with separate spaces; digits stay single, because carrying is learned digit by
digit. Joining the pieces of a text gives the text back exactly; a piece the task never writes becomes
`<unk>`.

`encode` needs no library and is what training uses; `save_tokenizer` writes the same mapping as an ordinary
fast tokenizer that `AutoTokenizer` and vLLM load.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from steplabel.engines.bundled.task import format_answer, format_step
from steplabel.engines.bundled.wording import KEYS, Operation, specimen_lines

PIECE: Final = r" ?[A-Za-z]+[ (]?|[0-9]|//|\)=|[:,] |[.?]\n|[\s\S]"
SPECIAL_TOKENS: Final = ("<pad>", "<s>", "</s>", "<unk>")
PAD, BOS, EOS, UNKNOWN = range(4)

_PIECES: Final = re.compile(PIECE)


@cache
def vocabulary() -> dict[str, int]:
    """Map every piece the task can produce to its id: special tokens first, the rest in text order."""
    lines = [*specimen_lines(), format_answer(1)]
    lines += [format_step(key, operation, 1, 1, 1) for key in sorted(KEYS) for operation in Operation]
    pieces = {piece for line in lines for piece in _PIECES.findall(line + "\n")}
    # Bare punctuation and space: where a text is cut or edited, a known neighbour must not become unknown.
    pieces |= set("0123456789-+*%:,.?() =\n")
    return {piece: index for index, piece in enumerate((*SPECIAL_TOKENS, *sorted(pieces)))}


def encode(text: str) -> list[int]:
    """Token ids of `text`, without the opening `<s>`."""
    known = vocabulary()
    return [known.get(piece, UNKNOWN) for piece in _PIECES.findall(text)]


def decode(ids: list[int]) -> str:
    """Text of `ids`, special tokens left out."""
    pieces = _pieces_by_id()
    return "".join(pieces[index] for index in ids if index >= len(SPECIAL_TOKENS))


@cache
def _pieces_by_id() -> tuple[str, ...]:
    return tuple(vocabulary())


def save_tokenizer(folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json` into `folder`."""
    # Imported here: encoding must not cost the start-up time of transformers.
    from tokenizers import (  # noqa: PLC0415
        Regex,
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        processors,
    )
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415

    pad, bos, eos, unknown = SPECIAL_TOKENS
    tokenizer = Tokenizer(models.WordLevel(vocabulary(), unk_token=unknown))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECE), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A", pair=f"{bos} $A $B", special_tokens=[(bos, BOS)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        unk_token=unknown,
        clean_up_tokenization_spaces=False,
        model_max_length=512,
        padding_side="left",
    ).save_pretrained(folder)
