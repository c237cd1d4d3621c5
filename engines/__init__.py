"""Ask a model: one verb, `generate`. Engines differ in who answers, stores and budgets wrap any of them.

    port.py         requests, answers, and the protocol every engine meets
    scripted.py     the public fake: a plain function plays the model
    transformers/   a transformers model in this process, with continuous batching
    vllm/           a model run by vLLM on this machine
    openai/         a model on a server that speaks the OpenAI protocol
    bundled/        the small model that ships with the package
    lazy.py         opens a model only when a sample is wanted
    budget.py       a limit on requests and generated tokens
    store/          keeps every sample: replay, resume, single flight
    devices.py      which worker process takes which GPU
    checkpoints/    a model's files: hashes, number format, licence
    text/           prompts to ids, ids to text

Nothing here imports torch, vLLM or an HTTP client until a model is opened; import engines from their own modules.
"""

from steplabel.engines.budget import BudgetedEngine, BudgetedSpec
from steplabel.engines.lazy import EnginePreview, LazyEngine, PreviewableSpec
from steplabel.engines.port import (
    Completion,
    Completions,
    Engine,
    EngineSpec,
    GenerateRequest,
    Prompt,
    RenderedPrompt,
)
from steplabel.engines.scripted import ScriptedEngine, ScriptedSpec
from steplabel.engines.store.progress import StoreProgress, clear_progress, read_progress
from steplabel.engines.store.rollout_store import RolloutStore, StoredSpec

__all__ = [
    "BudgetedEngine",
    "BudgetedSpec",
    "Completion",
    "Completions",
    "Engine",
    "EnginePreview",
    "EngineSpec",
    "GenerateRequest",
    "LazyEngine",
    "PreviewableSpec",
    "Prompt",
    "RenderedPrompt",
    "RolloutStore",
    "ScriptedEngine",
    "ScriptedSpec",
    "StoreProgress",
    "StoredSpec",
    "clear_progress",
    "read_progress",
]
