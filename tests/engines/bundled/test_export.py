"""A saved model is an ordinary Hugging Face folder that gives the trainer's own logits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from steplabel.engines.bundled.export import load_pretrained, save_pretrained
from steplabel.engines.bundled.model import CompactLlama
from steplabel.engines.bundled.task import generate_problem, seeded
from steplabel.engines.bundled.tokenizer import encode


@pytest.fixture
def saved(tiny_model: CompactLlama, tmp_path: Path) -> Path:
    """The tiny model, its weights rounded to what bfloat16 holds, in a folder."""
    for parameter in tiny_model.parameters():
        parameter.data = parameter.data.bfloat16().float()
    save_pretrained(tiny_model, tmp_path / "model")
    return tmp_path / "model"


def test_files(saved: Path) -> None:
    """Nothing but the weights and their descriptions; nothing pickled."""
    assert {path.name for path in saved.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_weights_come_back(saved: Path, tiny_model: CompactLlama) -> None:
    """Loading gives the tensors that were saved."""
    loaded = load_pretrained(saved)
    assert loaded.config == tiny_model.config
    for name, tensor in tiny_model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name


def test_weights_are_bfloat16(saved: Path) -> None:
    """Two bytes per parameter, under Llama's names, the tied output layer left out."""
    tensors = load_file(saved / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.bfloat16}
    assert all(name.startswith("model.") for name in tensors)
    assert "lm_head.weight" not in tensors


def test_transformers_gives_our_logits(saved: Path, tiny_model: CompactLlama, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LlamaForCausalLM`, offline, computes the same to rounding."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(saved, dtype=torch.float32, local_files_only=True).eval()
    rng = seeded("logits")
    for size in (1, 4, 10):
        ids = torch.tensor([[1, *encode(generate_problem(rng, size).text)]])
        with torch.no_grad():
            ours, others = tiny_model.logits(tiny_model(ids)), theirs(ids).logits
        assert (ours - others).abs().max() < 1e-3 * ours.abs().max()


def test_every_weight_is_used(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers reports nothing missing, unexpected or newly initialised."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM

    model, info = AutoModelForCausalLM.from_pretrained(saved, output_loading_info=True, local_files_only=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert not info["mismatched_keys"]
    assert isinstance(model, nn.Module)


def test_end_tokens(saved: Path) -> None:
    """Model and generation settings agree on where a text ends."""
    config, generation = (json.loads((saved / f"{n}.json").read_text()) for n in ("config", "generation_config"))
    assert config["eos_token_id"] == generation["eos_token_id"] == 2
    assert config["pad_token_id"] == generation["pad_token_id"] == 0


def test_saving_twice_overwrites(saved: Path, tiny_model: CompactLlama) -> None:
    """A later save replaces an earlier one."""
    with torch.no_grad():
        tiny_model.norm.weight.fill_(3.0)
    save_pretrained(tiny_model, saved)
    assert torch.all(load_pretrained(saved).norm.weight == 3.0)
