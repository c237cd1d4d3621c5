"""The shipped model: small, loadable offline, described by its own figures, and as good as it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from steplabel.engines.bundled import weights_path
from steplabel.engines.bundled.card import write_card
from steplabel.engines.bundled.export import load_pretrained
from steplabel.engines.bundled.task import generate_problem, seeded, solve
from steplabel.engines.bundled.tokenizer import BOS, encode, vocabulary
from steplabel.engines.bundled.train import measure_accuracy

FILES = {
    "README.md",
    "config.json",
    "again.json",
    "figures.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "training.json",
}


@pytest.fixture(scope="module")
def weights() -> Path:
    return weights_path()


def test_files(weights: Path) -> None:
    """Exactly what is needed to load, reproduce and judge the model."""
    assert {path.name for path in weights.iterdir()} == FILES


def test_size(weights: Path) -> None:
    """Small enough to ship with a library: ten megabytes at most."""
    assert sum(path.stat().st_size for path in weights.iterdir()) <= 10 * 2**20


def test_nothing_is_pickled(weights: Path) -> None:
    """Everything beside the tensors is text."""
    for path in weights.iterdir():
        if path.suffix != ".safetensors":
            path.read_text(encoding="utf-8")


def test_tokenizer_is_this_one(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model was trained on the vocabulary that the code has now."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
    assert tokenizer.get_vocab() == vocabulary()
    text = generate_problem(seeded("tokenizer"), 6).text
    assert tokenizer(text)["input_ids"] == [BOS, *encode(text)]


def test_loads_in_transformers_offline(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`LlamaForCausalLM` gives the trainer's own logits."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoModelForCausalLM

    ours = load_pretrained(weights)
    theirs = AutoModelForCausalLM.from_pretrained(weights, dtype=torch.float32, local_files_only=True).eval()
    problem = generate_problem(seeded("logits"), 8, held_out=True)
    ids = torch.tensor([[BOS, *encode(problem.text + "\n".join(solve(problem)))]])
    with torch.no_grad():
        difference = (ours.logits(ours(ids)) - theirs(ids).logits).abs().max()
    assert difference < 1e-3


def test_card_is_generated(weights: Path) -> None:
    """The card was not edited: it is what its function writes from the JSON files."""
    files = ("training.json", "figures.json", "again.json")
    training, figures, again = (json.loads((weights / name).read_text()) for name in files)
    assert (weights / "README.md").read_text(encoding="utf-8") == write_card(training, figures, again)


def test_a_second_training_run_came_out_alike(weights: Path) -> None:
    """Trained again from another seed, accuracy at every temperature lies within five points."""
    first, again = (json.loads((weights / name).read_text())["solutions"] for name in ("figures.json", "again.json"))
    shares = [[run["target"]["hits"] / run["target"]["of"] for run in runs] for runs in (first, again)]
    assert [run["temperature"] for run in first] == [run["temperature"] for run in again]
    assert shares[0] == pytest.approx(shares[1], abs=0.05)


def test_no_machine_is_named(weights: Path) -> None:
    """No path of the machine that trained it."""
    for path in weights.iterdir():
        if path.suffix != ".safetensors":
            text = path.read_text(encoding="utf-8")
            assert "/work" not in text
            assert "/tmp" not in text
            assert "/home" not in text


def test_figures_meet_the_acceptance(weights: Path) -> None:
    """Held out means held out, and at some temperature it errs as much as labels need."""
    figures = json.loads((weights / "figures.json").read_text())
    assert figures["overlap"] == 0
    assert figures["held_out_problems"] >= 2000
    targets = {e["temperature"]: e["target"]["hits"] / e["target"]["of"] for e in figures["solutions"]}
    assert any(0.5 <= value <= 0.8 for temperature, value in targets.items() if 0.7 <= temperature <= 1.2)


@pytest.mark.slow
def test_accuracy_is_as_published(weights: Path) -> None:
    """A fresh sample of held-out problems is solved about as often as the card says."""
    figures = json.loads((weights / "figures.json").read_text())
    published = {e["temperature"]: e["target"]["hits"] / e["target"]["of"] for e in figures["solutions"]}
    measured = measure_accuracy(load_pretrained(weights), problems=250, temperature=1.0)
    assert measured == pytest.approx(published[1.0], abs=0.1)
