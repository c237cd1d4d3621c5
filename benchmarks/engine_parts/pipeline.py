"""pipeline: a whole run against its own requests sent straight to the engine.

A run reads problems, samples solutions, checks answers, searches, derives labels and writes Parquet; only after
one answer does it know what to ask next. The baseline is the engine alone: the very requests of that run, all at
once, nothing depends on anything. The ratio of their tokens per second is what all of steplabel costs.
"""

from __future__ import annotations

import asyncio
import io
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from engine_parts.choices import ENGINES
from engine_parts.warm import WarmEngine, WarmSpec, ask_all, kept_warm
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.overrides import apply_overrides
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes import RECIPES
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions

EVENTS = (4, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is run: so many problems under one recipe, so many pairs of measurements."""

    problems: int = 256
    pairs: int = 5
    recipe: str = "omegaprm_locate"
    assignments: tuple[str, ...] = ("solutions=4", "annotator.k=8")


def pipeline(names: Sequence[str], load: Load, scratch: Path) -> list[dict[str, object]]:
    """One row an engine: the median of the pairs' ratios, and every ratio."""
    problems = scratch / "problems.jsonl"
    write_problems(problems, count=load.problems, seed=11, events=EVENTS)
    rows = []
    for name in names:
        with ENGINES[name]() as engine, kept_warm(engine) as (warm, spec):
            rows.append({"engine": name, **_pairs(warm, recipe_of(load, spec, name), load, problems, scratch / name)})
    return rows


def recipe_of(load: Load, spec: WarmSpec, name: str) -> Recipe:
    """The recipe on an open engine. A server without a model is never right: no problem is dropped for it."""
    recipe = RECIPES[load.recipe](replace(model_use("bundled"), engine=spec))
    recipe = apply_overrides(recipe, load.assignments)
    return replace(recipe, question_filter=None) if name == "server" else recipe


def _pairs(warm: WarmEngine, recipe: Recipe, load: Load, problems: Path, folder: Path) -> dict[str, object]:
    _piped(warm, recipe, problems, folder / "warm-up", limit=8)
    ratios, piped_rates, bare_rates = [], [], []
    requests = []
    for pair in range(load.pairs):
        piped = _piped(warm, recipe, problems, folder / str(pair))
        requests, samples = warm.requests, warm.samples  # the same each time: they depend on the seed alone
        _forget_prefixes(warm)
        bare = asyncio.run(ask_all(warm.engine, requests))
        _forget_prefixes(warm)
        piped_rates.append(piped)
        bare_rates.append(bare.tokens / bare.wall_s)
        ratios.append(piped / bare_rates[-1])
    return {
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "problems": load.problems,
        "rollouts": samples,
        "requests": len(requests),
        "pipeline_tokens_per_s": statistics.median(piped_rates),
        "engine_tokens_per_s": statistics.median(bare_rates),
    }


def _piped(warm: WarmEngine, recipe: Recipe, problems: Path, output: Path, limit: int | None = None) -> float:
    """Tokens per second of a run from its first line to its last, with a new store."""
    warm.forget()
    options = RunOptions(input=str(problems), output=str(output), limit=limit)
    start = time.perf_counter()
    run(recipe, options, Console(file=io.StringIO()))
    return warm.tokens / (time.perf_counter() - start)


def _forget_prefixes(warm: WarmEngine) -> None:
    """The second of a pair must not find the first one's prefixes in the engine's cache."""
    reset = getattr(warm.engine, "reset_prefix_cache", None)
    if reset is not None:
        asyncio.run(reset())
