"""A LoRA adapter, for real: what vLLM makes of it equals a model with the adapter merged into its weights."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from steplabel.engines import Completions, GenerateRequest
from steplabel.engines.bundled import weights_path
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.schemas import ConfigError

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.timeout(1800)]

Ask = Callable[..., GenerateRequest]
RANK, ALPHA = 3, 6  # a rank that vLLM has no room of exactly that size for


@pytest.fixture
def merged(tmp_path: Path) -> tuple[Path, Path]:
    """A random adapter of the bundled model's queries and values, and the model with it merged in."""
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(weights_path(), dtype=torch.float32)
    weights = {}
    for name, module in model.named_modules():
        if name.endswith(("q_proj", "v_proj")):
            low = torch.randn(RANK, module.in_features) / 4
            high = torch.randn(module.out_features, RANK) / 4
            weights[f"base_model.model.{name}.lora_A.weight"] = low
            weights[f"base_model.model.{name}.lora_B.weight"] = high
            module.weight.data += ALPHA / RANK * high @ low
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    save_file(weights, adapter / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "target_modules": ["q_proj", "v_proj"]}
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"bias": "none", "lora_dropout": 0.0}))
    model.save_pretrained(tmp_path / "merged")
    AutoTokenizer.from_pretrained(weights_path()).save_pretrained(tmp_path / "merged")
    return adapter, tmp_path / "merged"


async def answered(engine: Any, requests: list[GenerateRequest]) -> list[Completions]:
    try:
        return await asyncio.gather(*map(engine.generate, requests))
    finally:
        await engine.close()


def test_adapter_equals_merged_weights(merged: tuple[Path, Path], ask_problem: Ask) -> None:
    """Greedy tokens are those of the merged model, and not those of the bare one.

    The same engine shows that a context made smaller by `max_model_len` refuses what it would have to cut.
    """
    adapter, folder = merged
    requests = [ask_problem(i, temperature=0, max_tokens=60) for i in range(6)]
    bare = asyncio.run(answered(TransformersSpec(threads=1).open(), requests))
    expected = asyncio.run(answered(TransformersSpec(model=str(folder), dtype="float32", threads=1).open(), requests))
    spec = VLLMSpec(lora=str(adapter), max_model_len=256)
    engine = spec.open()
    assert engine.identity == spec.preview().identity
    with pytest.raises(ConfigError, match="max_model_len=256"):
        asyncio.run(engine.generate(ask_problem(max_tokens=250)))
    ours = asyncio.run(answered(engine, requests))
    assert [answer.samples for answer in ours] == [answer.samples for answer in expected]
    assert [answer.samples for answer in ours] != [answer.samples for answer in bare]


def test_a_model_that_vllm_cannot_run(tmp_path: Path, processes: Callable[[], dict[int, int]]) -> None:
    """A core that fails while it loads: the error names the model and how to learn more; no process is left."""
    folder = Path(shutil.copytree(weights_path(), tmp_path / "broken"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 5}))
    with pytest.raises(ConfigError, match=r"cannot run model .*broken.*VLLM_LOGGING_LEVEL"):
        VLLMSpec(model=str(folder)).open()
    assert processes() == {}
