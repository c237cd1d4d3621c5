"""Ask a model: one verb, `generate`. Engines differ in who answers, stores and budgets wrap any of them.

    port.py                 requests, answers, and the protocol every engine meets
    scripted.py             the public fake: a plain function plays the model
    transformers_engine.py  a model in this process, with continuous batching
    transformers_spec.py    which model, where and how: loads it when opened
    lazy.py                 opens a model only when a sample is wanted
    budget.py               a limit on requests and generated tokens
    store.py                keeps every sample: replay, resume, single flight
    progress.py             what a run has done so far, from its store
    bundled/                the small model that ships with the package

Beneath them:

    store_schema.py, store_rows.py, store_writer.py   the store's file, rows and writing thread
    scheduler.py            the thread that owns a model and batches what callers ask
    decoding.py             rows that are decoded together, one token at a time
    kv_cache.py             keys and values of rows that come and go
    sampling.py             from logits and uniform numbers to tokens
    text_codec.py           a tokenizer: prompts to ids, ids to text, stop strings
    checkpoint.py           a model's files: hashes, number format, licence

`vllm_engine.py` and `openai_engine.py` will stand beside `transformers_engine.py`.

Nothing here imports torch until a model is opened; import `TransformersEngine` from its own module.
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
from steplabel.engines.progress import StoreProgress, clear_progress, read_progress
from steplabel.engines.scripted import ScriptedEngine, ScriptedSpec
from steplabel.engines.store import RolloutStore, StoredSpec

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
