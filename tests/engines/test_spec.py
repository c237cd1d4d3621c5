"""From a model's files to an engine: identity, previews, and what can be wrong with a folder."""

from __future__ import annotations

import asyncio
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from steplabel.engines import GenerateRequest, Prompt
from steplabel.engines.checkpoints import checkpoint
from steplabel.engines.checkpoints.checkpoint import find_checkpoint, read_identity
from steplabel.engines.devices import check_workers
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.schemas import ConfigError, SamplingParams


@pytest.fixture
def folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to spoil."""
    return Path(shutil.copytree(model_folder, tmp_path / "tiny"))


def test_preview_is_what_the_engine_says(model_folder: Path) -> None:
    """Identity and rendering before the weights are loaded equal those after."""
    spec = TransformersSpec(model=str(model_folder), threads=1)
    preview = spec.preview()
    request = GenerateRequest(prompt=Prompt(text="hello"), n=2, sampling=SamplingParams(max_tokens=3))

    async def run() -> None:
        engine = spec.open()
        assert engine.identity == preview.identity
        assert engine.render(request) == preview.render(request)
        assert len((await engine.generate(request)).samples) == 2
        await engine.close()

    asyncio.run(run())
    assert preview.identity.licence == "apache-2.0"
    assert preview.identity.name == "tiny"
    assert preview.identity.dtype == "float32"


@pytest.mark.parametrize("device", ["meta", "meta:0"])
def test_a_device_without_numbers_is_refused(device: str) -> None:
    """torch would load the model there and fail at the first token."""
    with pytest.raises(ConfigError, match="shapes without numbers"):
        TransformersSpec(device=device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("device", ["cuda", "cuda:1", "abacus"])
def test_a_device_that_is_not_there_is_named(model_folder: Path, device: str) -> None:
    """A torch without CUDA says so by an assertion: it becomes an error that names model and device."""
    with pytest.raises(ConfigError, match=f"cannot load model .* on {device}"):
        TransformersSpec(model=str(model_folder), device=device).open()


@pytest.mark.parametrize("device", ["cpu", "cpu:0", "mps", "mps:0"])
def test_only_cuda_devices_are_gpus_to_share_out(device: str) -> None:
    """Any other device is no reason to refuse workers, with a number or without."""
    spec = TransformersSpec(device=device)
    assert (spec.gpus, spec.named_gpu) == (0, "")
    check_workers([spec], 2)


def test_specs_travel(model_folder: Path) -> None:
    """A spec survives pickling, is equal to its copy and hashes alike: one engine a process."""
    spec = TransformersSpec(model=str(model_folder), dtype="bfloat16")
    copy = pickle.loads(pickle.dumps(spec))
    assert (copy, hash(copy)) == (spec, hash(spec))


def identity(folder: Path, **options: Any) -> Any:
    return read_identity(find_checkpoint(str(folder)), dtype="float32", **options)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("model.safetensors", "weights"),
        ("config.json", "weights"),
        ("generation_config.json", "weights"),
        ("tokenizer.json", "tokenizer"),
        ("tokenizer_config.json", "tokenizer"),
        ("chat_template.jinja", "tokenizer"),
    ],
)
def test_identity_changes_with_every_file_that_matters(folder: Path, file: str, field: str) -> None:
    """A changed byte in weights, configs, tokenizer or template is another model."""
    before = identity(folder)
    path = folder / file
    path.write_bytes((path.read_bytes() if path.exists() else b"") + b"\n ")
    after = identity(folder)
    assert getattr(before, field) != getattr(after, field)
    assert before.id != after.id


def test_identity_ignores_the_rest(folder: Path) -> None:
    """The card and foreign files change nothing but the licence."""
    before = identity(folder)
    (folder / "README.md").write_text("---\nlicense: other\nlicense_name: house\n---\n", encoding="utf-8")
    (folder / "notes.txt").write_text("x", encoding="utf-8")
    after = identity(folder)
    assert (before.id, before.licence) == (after.id, "apache-2.0")
    assert after.licence == "house"
    assert identity(folder, licence="mine").licence == "mine"


@pytest.mark.parametrize("card", ["", "no front matter", "---\nlicense: [\n---\n", "---\nlicense: 7\n---\n"])
def test_odd_cards_state_no_licence(folder: Path, card: str) -> None:
    """A card that cannot be read does not stop a run."""
    (folder / "README.md").write_text(card, encoding="utf-8")
    assert identity(folder).licence == ""


def test_large_files_are_hashed_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash is remembered by path, size and time; touching the file drops it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(checkpoint, "REMEMBER_ABOVE_BYTES", 1000)
    first = identity(folder)
    notes = list((tmp_path / "cache" / "steplabel" / "weights").iterdir())
    assert notes
    for note in notes:
        note.write_text("remembered", encoding="ascii")
    remembered = identity(folder)
    assert remembered.weights != first.weights
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes())
    assert identity(folder) == first


def test_unwritable_cache_is_no_error(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs a rehash."""
    (tmp_path / "file").write_text("", encoding="ascii")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(checkpoint, "REMEMBER_ABOVE_BYTES", 1)
    assert identity(folder) == identity(folder)


def with_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda f: (f / "model.safetensors").unlink(), "no .*weights"),
        (lambda f: (f / "config.json").unlink(), "no config.json"),
        (lambda f: (f / "config.json").write_text("{"), "cannot read config.json"),
        (lambda f: [p.unlink() for p in f.glob("tokenizer*")], "no tokenizer"),
        (lambda f: (f / "tokenizer.json").write_text("{}"), "tokenizer"),
        (lambda f: (f / "model.safetensors").write_bytes(b"garbage"), "cannot load model"),
        (lambda f: (f / "config.json").write_text(json.dumps({"model_type": "nosuch"})), "model"),
        (lambda f: with_config(f, num_hidden_layers=3), "do not fit"),
    ],
    ids=[
        "weights",
        "config",
        "config json",
        "tokenizer",
        "tokenizer json",
        "bad weights",
        "bad type",
        "a layer is missing",
    ],
)
def test_incomplete_folders(folder: Path, spoil: Any, says: str) -> None:
    """What is missing or broken is the configuration's fault, and named."""
    spoil(folder)
    with pytest.raises(ConfigError, match=says):
        TransformersSpec(model=str(folder)).open()


@pytest.mark.parametrize("options", [{"dtype": "int4"}, {"max_rows": 0}, {"threads": -1}, {"token_budget": 0}], ids=str)
def test_bad_options(options: dict[str, Any]) -> None:
    """They are refused before anything is loaded, with the value."""
    with pytest.raises(ConfigError, match=str(next(iter(options.values())))):
        TransformersSpec(**options)


def test_unknown_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a folder nor on the hub: both are said."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="no folder here"):
        TransformersSpec(model="nobody/nothing-at-all").preview()


def test_importing_engines_loads_no_torch() -> None:
    """Recipes and command lines import the room without paying for torch."""
    code = (
        "import sys, steplabel.engines, steplabel.engines.transformers.spec;"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
