"""The one place where a text names a model: `--engine bundled`, `--engine vllm:PATH`, `--engine openai:URL`, ..."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from steplabel.engines.checkpoints.checkpoint import BUNDLED
from steplabel.engines.openai.dialects import Mode
from steplabel.engines.openai.spec import OpenAISpec
from steplabel.engines.port import EngineSpec
from steplabel.engines.scripted import ScriptedSpec
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.engines.vllm.spec import VLLMSpec
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipes import ModelUse
from steplabel.schemas import ConfigError, SamplingParams
from steplabel.schemas.segmentation import BlankLineSteps, NewlineSteps
from steplabel.transforms.prompts import PromptTemplate

BUNDLED_TEMPERATURE = 1.2
"""Where the bundled model errs informatively: see its model card, `engines/bundled/weights/README.md`."""
FLAG: Final = "--engine-set"
Settings: TypeAlias = Sequence[str]
"""Texts `field=value` that change the engine's specification."""


def _use(model: str, engine: EngineSpec) -> ModelUse:
    """How a model is spoken to: the bundled one in its own plain form, any other as a chat model."""
    return _plain_use(engine) if model == BUNDLED else _chat_use(engine)


def _plain_use(engine: EngineSpec) -> ModelUse:
    """The bundled model's chain of at most ten lines of about nine tokens each, and the answer line."""
    return ModelUse(
        engine=engine,
        prompt=PromptTemplate(),
        sampling=SamplingParams(temperature=BUNDLED_TEMPERATURE, max_tokens=160),
        segmenter=NewlineSteps(),
    )


def _chat_use(engine: EngineSpec) -> ModelUse:
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


def _bundled(_: str, settings: Settings) -> ModelUse:
    return _plain_use(apply_overrides(TransformersSpec(model=BUNDLED), settings, flag=FLAG))


def _transformers(model: str, settings: Settings) -> ModelUse:
    return _use(model, apply_overrides(TransformersSpec(model=model), settings, flag=FLAG))


def _vllm(model: str, settings: Settings) -> ModelUse:
    return _use(model, apply_overrides(VLLMSpec(model=model), settings, flag=FLAG))


def _openai(address: str, settings: Settings) -> ModelUse:
    """The server is asked for its model here, so that the run says which one it was.

    Without a tokenizer only the server can render chat messages, so they are sent as messages.
    """
    url, _, model = address.partition("#")
    spec = apply_overrides(OpenAISpec(url=url, model=model), settings, flag=FLAG).resolve()
    use = _use(spec.model, spec)
    chosen = any(setting.partition("=")[0].strip() == "mode" for setting in settings)
    if use.prompt.chat and not spec.tokenizer and not chosen:
        return replace(use, engine=replace(spec, mode=Mode.CHAT))
    return use


def _scripted(function: str, settings: Settings) -> ModelUse:
    return ModelUse(
        engine=apply_overrides(ScriptedSpec(function=function), settings, flag=FLAG),
        prompt=PromptTemplate(),
        sampling=SamplingParams(),
        segmenter=NewlineSteps(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKind:
    """One kind of engine: how its argument is written, what it is for, and how it is made."""

    usage: str
    purpose: str
    make: Callable[[str, Settings], ModelUse]


ENGINES: Mapping[str, EngineKind] = {
    "bundled": EngineKind(usage="bundled", purpose="the small model that ships with steplabel", make=_bundled),
    "transformers": EngineKind(
        usage="transformers:MODEL", purpose="a folder or hub name, in this process, CPU or GPU", make=_transformers
    ),
    "vllm": EngineKind(usage="vllm:MODEL", purpose="a folder or hub name, run by vLLM on this machine", make=_vllm),
    "openai": EngineKind(
        usage="openai:URL[#MODEL]", purpose="a server that speaks the OpenAI protocol: vLLM, SGLang, ...", make=_openai
    ),
    "scripted": EngineKind(
        usage="scripted:MODULE:FUNCTION", purpose="a Python function that plays the model", make=_scripted
    ),
}


def model_use(text: str, settings: Settings = ()) -> ModelUse:
    """Turn `kind` or `kind:argument` into an engine and how it is spoken to.

    Args:
        settings: `field=value` texts for the engine's specification.

    Raises:
        ConfigError: no such kind, an argument is missing, or a setting does not fit; ModelLoadError where the
            engine is a server that cannot be reached.
    """
    name, _, argument = text.partition(":")
    if name not in ENGINES:
        known = "; ".join(f"{kind.usage} ({kind.purpose})" for kind in ENGINES.values())
        raise ConfigError(f"--engine {text!r}: no engine of kind {name!r}. There are: {known}")
    kind = ENGINES[name]
    if kind.usage != name and not argument:
        raise ConfigError(f"--engine {name} wants an argument: {kind.usage}, {kind.purpose}")
    return kind.make(argument, settings)
