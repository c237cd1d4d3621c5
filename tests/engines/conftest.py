"""Tiny random models with a word-level tokenizer: real transformers models that load in milliseconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.transformers.engine import TransformersEngine
from steplabel.schemas import ModelIdentity, SamplingParams

SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
PIECES = tuple("abcdefghijklmnopqrstuvwxyz0123456789 .\n+=-")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Models this small gain nothing from a second thread, and wait for it where the machine is busy."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    """One token a character, `<s>` in front, as the bundled tokenizer has it."""
    vocabulary = {piece: index for index, piece in enumerate((*SPECIAL, *PIECES))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Split("", behavior="isolated")
    inner.decoder = decoders.Fuse()
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=256,
    )


@pytest.fixture(scope="session")
def model() -> LlamaForCausalLM:
    """A random Llama whose logits are spread wide, so that rounding does not decide a token."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(SPECIAL) + len(PIECES),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.3,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def opened(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> Callable[..., AbstractAsyncContextManager[TransformersEngine]]:
    """`async with opened(max_rows=...) as engine`: an engine that is closed at the end."""

    @asynccontextmanager
    async def open_engine(used: Any = None, **options: Any) -> AsyncIterator[TransformersEngine]:
        identity = ModelIdentity(name="tiny")
        engine = TransformersEngine(used or model, tokenizer, identity=identity, **options)
        try:
            yield engine
        finally:
            await engine.close()

    return open_engine


@pytest.fixture
def ask() -> Callable[..., GenerateRequest]:
    """`ask("text", n=2, temperature=0)`: a request; unknown names go to the sampling parameters."""

    def make(text: str = "abc", /, **options: Any) -> GenerateRequest:
        known = {"prefix", "n", "start", "seed", "logprobs", "prompt_logprobs"}
        request = {name: value for name, value in options.items() if name in known}
        sampling = {"max_tokens": 20} | {n: v for n, v in options.items() if n not in known}
        return GenerateRequest(prompt=Prompt(text=text), sampling=SamplingParams(**sampling), **request)

    return make


@pytest.fixture(scope="session")
def model_folder(
    tmp_path_factory: pytest.TempPathFactory, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast
) -> Path:
    """The tiny model as a folder, with a model card."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Tiny\n", encoding="utf-8")
    return folder
