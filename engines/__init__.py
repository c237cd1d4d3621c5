"""Ask a model: one verb, `generate`. Engines differ in who answers, stores and budgets wrap any of them.

    port.py                 requests, answers, and the protocol every engine meets
    scripted.py             the public fake: a plain function plays the model
    transformers_spec.py    a transformers model in this process, with continuous batching
    vllm_spec.py            a model run by vLLM on this machine
    openai_spec.py          a model on a server that speaks the OpenAI protocol
    lazy.py                 opens a model only when a sample is wanted
    budget.py               a limit on requests and generated tokens
    store.py                keeps every sample: replay, resume, single flight
    progress.py             what a run has done so far, from its store
    devices.py              which worker process takes which GPU
    bundled/                the small model that ships with the package

Beneath them:

    checkpoint.py, tokenizer_files.py, lora.py   a model's files: hashes, number format, licence
    text_codec.py           prompts to ids, ids to text, stop strings
      pieces.py             tokens of a text behind another, and the text of such tokens
      chat_template.py      a model's chat template, its thinking switch and its turn's end
    transformers_engine.py  the engine of that name
      scheduler.py          the thread that owns a model and batches what callers ask
      decoding.py           rows that are decoded together, one token at a time
      kv_cache.py           keys and values of rows that come and go
      sampling.py           from logits and uniform numbers to tokens
    vllm_engine.py          the engine of that name
      vllm_launch.py        how vLLM is started; vllm_environment.py in which environment
      vllm_supervisor.py    starts it anew, once, when it dies; vllm_child.py ends it when we die
    openai_engine.py        the engine of that name
      openai_requests.py    what is sent; openai_protocol.py what comes back and what of it is believed
      openai_client.py      one HTTP exchange; openai_address.py, openai_models.py where and with what
      openai_dialects.py    where servers differ, as a table
      concurrency.py        how many requests at once, as arithmetic; slots.py holds requests to it
      retries.py            asking again; prices.py what it costs
    store_file.py, store_schema.py, store_rows.py, store_writer.py, store_commit.py, store_flights.py
                            the store's file, tables, rows, writing thread, commits and single flights
    store_stats.py, store_verify.py, store_gc.py, store_exchange.py, store_scan.py
                            what is done with a store apart from asking it

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
