"""The one place where a text names a model: `--engine bundled`, `--engine transformers:PATH`, ..."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from steplabel.engines.port import EngineSpec
from steplabel.engines.scripted import ScriptedSpec
from steplabel.engines.transformers_spec import TransformersSpec
from steplabel.pipelines.recipes import ModelUse
from steplabel.schemas import ConfigError, SamplingParams
from steplabel.schemas.segmentation import BlankLineSteps, NewlineSteps
from steplabel.transforms.prompts import PromptTemplate

BUNDLED_TEMPERATURE = 1.2
"""Where the bundled model errs informatively: see its model card, `engines/bundled/weights/README.md`."""


def _bundled(_: str) -> ModelUse:
    """A chain of at most ten lines of about nine tokens each, and the answer line."""
    return ModelUse(
        engine=TransformersSpec(model="bundled"),
        prompt=PromptTemplate(),
        sampling=SamplingParams(temperature=BUNDLED_TEMPERATURE, max_tokens=160),
        segmenter=NewlineSteps(),
    )


def _chat_model(engine: EngineSpec) -> ModelUse:
    """Instruction-tuned models: their template, paragraphs as steps (as in ProcessBench), a boxed answer."""
    return ModelUse(
        engine=engine,
        prompt=PromptTemplate(
            text="{problem}\n\nReason step by step, one paragraph a step, and put the final answer in \\boxed{}.",
            chat=True,
        ),
        sampling=SamplingParams(temperature=0.7, top_p=0.95, max_tokens=2048),
        segmenter=BlankLineSteps(),
    )


def _transformers(model: str) -> ModelUse:
    return _chat_model(TransformersSpec(model=model))


def _scripted(function: str) -> ModelUse:
    return ModelUse(
        engine=ScriptedSpec(function=function),
        prompt=PromptTemplate(),
        sampling=SamplingParams(),
        segmenter=NewlineSteps(),
    )


ENGINES: Mapping[str, tuple[str, Callable[[str], ModelUse]]] = {
    "bundled": ("the small model that ships with steplabel", _bundled),
    "transformers": ("transformers:PATH_OR_NAME, any causal model, CPU or GPU", _transformers),
    "scripted": ("scripted:package.module:function, a Python function that plays the model", _scripted),
}


def model_use(text: str) -> ModelUse:
    """Turn `kind` or `kind:argument` into an engine and how it is spoken to.

    Raises:
        ConfigError: no such kind, or an argument is missing.
    """
    kind, _, argument = text.partition(":")
    if kind not in ENGINES:
        known = "; ".join(f"{name} ({what})" for name, (what, _) in ENGINES.items())
        raise ConfigError(f"--engine {text!r}: no engine of kind {kind!r}. There are: {known}")
    if kind != "bundled" and not argument:
        raise ConfigError(f"--engine {kind} wants an argument: {ENGINES[kind][0]}")
    return ENGINES[kind][1](argument)
