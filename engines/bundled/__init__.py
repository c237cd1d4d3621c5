"""The bundled model: trained here, from nothing, on problems whose every step has an exact truth.

wording.py    the words of the task, and how to read them back
task.py       problems: generate, parse, solve; which part of the space is held out
truth.py      what is wrong with a solution, step by step
slips.py      training solutions with a mistake now and then
solver.py     a plain function that plays the model, for runs without one
tokenizer.py  whole words and single digits
model.py      a small Llama
muon.py       its optimiser
batches.py    training batches as a function of seed and step
sampler.py    many continuations at once
export.py     the model as a Hugging Face folder
train.py      the trainer, `python -m steplabel.engines.bundled.train`
figures.py    what a model's solutions and rollouts are like, counted
card.py       the model card, written from those figures
weights/      the trained model and its card
"""

from __future__ import annotations

from pathlib import Path


def weights_path() -> Path:
    """Folder of the trained model in this installation: loads with `transformers` and vLLM as it is."""
    return Path(__file__).parent / "weights"
