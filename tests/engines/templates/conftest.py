"""Chat models of eight families, in small: tokenizers trained on the spot, templates beside this file.

Each has its family's traps. Merges that reach across the prompt's end, spaces that a tokenizer adds to a fragment
and takes off again, whitespace that a special token swallows, turns that lose their reasoning, ends that only the
template knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.text.codec import TextCodec
from steplabel.schemas import ContentPart, Message, Role

TEMPLATES = Path(__file__).parent
BAR = "\uff5c"  # DeepSeek's tokens are written with a wide one
CORPUS = [
    "First, add the numbers.\n\nSo 12 + 34 = 46.\nThen the answer is \\boxed{46}.\n\n",
    "Step 1: We know that x = 5.\nStep 2: Therefore 2x = 10.\n\n\nThe answer is 10.",
    "def f(x):\n    return x + 1\n\n\nprint(f(2))\n",
    "The café costs 3 euros. It is open. The end is near: yes!\n\nuser\nassistant\nmodel\nsystem\n",
    "think\nLet me think, hm...\n\nWait, that is wrong.\nQuestion: how many?\nAnswer: two.\n",
] * 20
GPT2_WORDS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@cache
def byte_level(words: str) -> str:
    """Byte-level BPE over the words of a regular expression, as GPT-2, Llama 3 and Qwen have it; as JSON."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    inner.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    )
    return str(inner.to_str())


@cache
def sentence_piece(front: str) -> str:
    """BPE with byte fallback and `▁` for the space; `front` says who puts one in front of a text; as JSON."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=400, show_progress=False))
    model = json.loads(trained.to_str())["model"]
    pieces = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), *sorted(model["vocab"], key=model["vocab"].get)]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    merges = [tuple(merge) for merge in model["merges"]]
    inner = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    strip = [decoders.Strip(" ", 1, 0)] if front else []
    inner.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip])
    if front == "normalizer":  # Llama 2: in front of every piece between special tokens
        inner.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    elif front == "first":  # Mistral: in front of the whole text only
        inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:  # Gemma: nowhere
        inner.normalizer = normalizers.Replace(" ", "▁")
    return str(inner.to_str())


@dataclass(frozen=True, kw_only=True)
class Style:
    """One family. `end`: what ends its turns; `continues`: its template can leave a last turn open unchanged."""

    name: str
    tokenizer: PreTrainedTokenizerFast
    codec: TextCodec
    end: str
    takes_system: bool = True
    continues: bool = True

    @property
    def controls(self) -> tuple[str, ...]:
        known = self.tokenizer.added_tokens_decoder.values()
        return tuple(token.content for token in known if token.special)

    def behind(self, request: GenerateRequest) -> tuple[int, ...]:
        """The prefix's own ids; those of the prompt before them are what they are without a prefix."""
        alone = self.codec.render(GenerateRequest(prompt=request.prompt)).token_ids
        whole = self.codec.render(request).token_ids
        assert whole[: len(alone)] == alone
        return whole[len(alone) :]

    def control_count(self, ids: tuple[int, ...]) -> int:
        controls = {self.tokenizer.convert_tokens_to_ids(text) for text in self.controls}
        return sum(id_ in controls for id_ in ids)

    def spoken(self, ids: tuple[int, ...]) -> str:
        """Text of whole ids, control tokens and all, by the library."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=False))


def _style(name: str, inner: str, controls: str, *, eos: str, bos: str = "", end: str = "", **known: Any) -> Style:
    tokens = [AddedToken(text, special=True, normalized=False, rstrip=name == "phi3") for text in controls.split()]
    # Reasoning marks are words of the model: added to the vocabulary, and not special.
    tokens += [AddedToken(text, special=False, normalized=False) for text in ("<think>", "</think>")]
    tokenizer = Tokenizer.from_str(inner)
    tokenizer.add_tokens(tokens)
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    whole = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos or None,
        eos_token=eos,
        clean_up_tokenization_spaces=False,
        chat_template=(TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8"),
    )
    return Style(name=name, tokenizer=whole, codec=TextCodec(whole), end=end or eos, **known)


def _styles() -> dict[str, Callable[[], Style]]:
    gpt2, llama3 = (lambda: byte_level(GPT2_WORDS)), (lambda: byte_level(LLAMA3_WORDS))
    headers = "<|begin_of_text|> <|end_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|>"
    return {
        "chatml": lambda: _style(
            "chatml", gpt2(), "<|endoftext|> <|im_start|> <|im_end|>", eos="<|endoftext|>", end="<|im_end|>"
        ),
        "llama2": lambda: _style("llama2", sentence_piece("normalizer"), "<s> </s>", bos="<s>", eos="</s>"),
        "llama3": lambda: _style(
            "llama3", llama3(), headers, bos="<|begin_of_text|>", eos="<|end_of_text|>", end="<|eot_id|>"
        ),
        "gemma": lambda: _style(
            "gemma",
            sentence_piece(""),
            "<bos> <eos> <start_of_turn> <end_of_turn>",
            bos="<bos>",
            eos="<eos>",
            end="<end_of_turn>",
            takes_system=False,
        ),
        "mistral": lambda: _style(
            "mistral",
            sentence_piece("first"),
            "<s> </s> [INST] [/INST] [SYSTEM_PROMPT] [/SYSTEM_PROMPT]",
            bos="<s>",
            eos="</s>",
        ),
        "deepseek": lambda: _style(
            "deepseek",
            llama3(),
            f"<{BAR}begin_of_sentence{BAR}> <{BAR}end_of_sentence{BAR}> <{BAR}User{BAR}> <{BAR}Assistant{BAR}>",
            bos=f"<{BAR}begin_of_sentence{BAR}>",
            eos=f"<{BAR}end_of_sentence{BAR}>",
            continues=False,
        ),
        "qwen3": lambda: _style(
            "qwen3", llama3(), "<|endoftext|> <|im_start|> <|im_end|>", eos="<|endoftext|>", end="<|im_end|>"
        ),
        "phi3": lambda: _style(
            "phi3",
            gpt2(),
            "<|endoftext|> <|system|> <|user|> <|assistant|> <|end|>",
            eos="<|endoftext|>",
            end="<|end|>",
        ),
    }


@cache
def style_named(name: str) -> Style:
    return _styles()[name]()


@pytest.fixture(scope="session", params=list(_styles()))
def style(request: pytest.FixtureRequest) -> Style:
    """Every family in turn."""
    return style_named(request.param)


@pytest.fixture(scope="session")
def family() -> Callable[[str], Style]:
    """One family by its name."""
    return style_named


@pytest.fixture(scope="session")
def chat() -> Callable[..., GenerateRequest]:
    """`chat("question", system="", **more)`: a request, with more of its fields."""

    def make(question: str, *, system: str = "", **more: Any) -> GenerateRequest:
        turns = [(Role.SYSTEM, system)] if system else []
        messages = tuple(
            Message(role=role, parts=(ContentPart(text=text),)) for role, text in [*turns, (Role.USER, question)]
        )
        return GenerateRequest(prompt=Prompt(messages=messages), **more)

    return make
