"""What can be said of a vLLM model without vLLM: identity, rendering, what is refused, what its processes inherit."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.checkpoints.lora import read_adapter
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.engines.vllm.environment import vllm_environment
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.schemas import ConfigError, MissingExtra


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """The files of an adapter; nobody loads these weights."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"r": 4, "rank_pattern": {"q_proj": 12}}))
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


@pytest.mark.parametrize("bundled", [True, False], ids=["bundled", "folder"])
def test_a_model_is_the_same_whoever_runs_it(bundled: bool, model_folder: Path) -> None:
    """Identity and rendering equal the transformers engine's, so both fill and read the same store."""
    name = "bundled" if bundled else str(model_folder)
    ours, theirs = VLLMSpec(model=name).preview(), TransformersSpec(model=name).preview()
    request = GenerateRequest(prompt=Prompt(text="hello"), prefix=" world")
    assert ours.identity == theirs.identity
    assert ours.render(request) == theirs.render(request)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"dtype": "bfloat16"}, False),
        ({"quantization": "fp8"}, False),
        ({"max_num_seqs": 3}, True),
        ({"tensor_parallel_size": 2}, True),
        ({"gpu_memory_utilization": 0.5}, True),
        ({"enforce_eager": True}, True),
        ({"max_model_len": 128}, True),
    ],
    ids=str,
)
def test_identity_tells_what_changes_texts(changes: dict[str, Any], same: bool) -> None:
    """Number format and quantisation do; how many rows and GPUs there are does not."""
    assert (VLLMSpec(**changes).preview().identity == VLLMSpec().preview().identity) is same


def test_an_adapter_is_part_of_the_identity(adapter: Path) -> None:
    """By the hash of its files: other weights are another model, another place is not."""
    plain, tuned = VLLMSpec().preview().identity, VLLMSpec(lora=str(adapter)).preview().identity
    assert tuned == replace(plain, adapter=read_adapter(str(adapter)).hash)
    assert plain.adapter == ""
    moved = adapter.rename(adapter.with_name("moved"))
    assert VLLMSpec(lora=str(moved)).preview().identity == tuned
    (moved / "adapter_model.safetensors").write_bytes(b"others")
    assert VLLMSpec(lora=str(moved)).preview().identity != tuned


def test_rank_is_the_largest_of_an_adapter(adapter: Path) -> None:
    """vLLM makes room for matrices of one rank, so it must hold every layer's."""
    assert read_adapter(str(adapter)).rank == 12


@pytest.mark.parametrize(
    "spoil",
    [
        lambda f: (f / "adapter_config.json").unlink(),
        lambda f: (f / "adapter_model.safetensors").unlink(),
        lambda f: (f / "adapter_config.json").write_text("{"),
        lambda f: (f / "adapter_config.json").write_text("[]"),
        lambda f: (f / "adapter_config.json").write_text("{}"),
        lambda f: (f / "adapter_config.json").write_text('{"r": "many"}'),
        lambda f: (f / "adapter_config.json").write_text('{"r": 4, "rank_pattern": 3}'),
    ],
    ids=["no config", "no weights", "bad json", "a list", "no rank", "bad rank", "bad pattern"],
)
def test_incomplete_adapters(adapter: Path, spoil: Any) -> None:
    """What is missing or broken is the configuration's fault, and the folder is named."""
    spoil(adapter)
    with pytest.raises(ConfigError, match="adapter"):
        VLLMSpec(lora=str(adapter)).preview()


def test_specs_travel() -> None:
    """A spec survives pickling, is equal to its copy and hashes alike: one engine a process."""
    spec = VLLMSpec(dtype="bfloat16", max_num_seqs=8)
    copy = pickle.loads(pickle.dumps(spec))
    assert (copy, hash(copy)) == (spec, hash(spec))


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "int4"},
        {"max_model_len": 0},
        {"tensor_parallel_size": 0},
        {"max_num_seqs": -1},
        {"gpu_memory_utilization": 0},
        {"gpu_memory_utilization": 1.5},
    ],
    ids=str,
)
def test_bad_options(options: dict[str, Any]) -> None:
    """They are refused before anything is loaded, with the value."""
    with pytest.raises(ConfigError, match=str(next(iter(options.values())))):
        VLLMSpec(**options)


def test_without_vllm_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening says what to install; previewing works all the same."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert VLLMSpec().preview().identity.name == "bundled"
    with pytest.raises(MissingExtra, match=r"steplabel\[vllm\]"):
        VLLMSpec().open()


def test_spec_imports_no_vllm() -> None:
    """Neither a spec nor its preview imports vLLM, nor a spec alone torch."""
    code = (
        "import sys; from steplabel.engines.vllm.spec import VLLMSpec; spec = VLLMSpec();"
        "assert not {'torch', 'transformers', 'vllm'} & set(sys.modules); spec.preview();"
        "assert 'vllm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_engines_start_one_at_a_time() -> None:
    """Two that open at once in threads of one process neither lose each other's settings nor leave any behind."""
    before, seen = dict(os.environ), []

    def start(number: int) -> None:
        with vllm_environment():
            os.environ["LD_PRELOAD"] = str(number)
            time.sleep(0.05)
            seen.append((number, os.environ["LD_PRELOAD"]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert sorted(seen) == [(number, str(number)) for number in range(4)]
    assert dict(os.environ) == before


def test_environment_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What vLLM sets for its processes does not reach later children; what the user set counts, and stays."""
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    before = dict(os.environ)
    with vllm_environment():
        assert os.environ["VLLM_LOGGING_LEVEL"] == "DEBUG"
        assert os.environ["VLLM_NO_USAGE_STATS"] == "1"
        os.environ["LD_PRELOAD"] = "libgomp.so"
        del os.environ["PATH"]
    assert dict(os.environ) == before
