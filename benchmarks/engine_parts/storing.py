"""store and replay: what keeping every rollout costs, and what it saves."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from engine_parts.warm import Asked, WarmEngine, ask_all, kept_warm
from steplabel.engines import Engine, GenerateRequest, Prompt, RolloutStore, ScriptedEngine
from steplabel.engines.transformers.spec import TransformersSpec
from steplabel.pipelines.generated import write_problems
from steplabel.pipelines.models import model_use
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes import math_shepherd
from steplabel.pipelines.run import run
from steplabel.pipelines.worksite import RunOptions
from steplabel.schemas import SamplingParams

SAMPLES = 8  # of each prompt, as Monte-Carlo labels take them
EVENTS = ("keeps only one in 3.", "gets 76 as a gift.", "now has 2 times as many.", "gives 15 away.")
MONTHS = ("May", "June", "July", "August", "January", "March", "April", "October")


def requests(count: int) -> list[GenerateRequest]:
    """Prompts of 3 to 8 events."""
    made = []
    for number in range(count):
        events = [f"{MONTHS[i]}: {EVENTS[(i + number) % 4]}\n" for i in range(3 + number % 6)]
        text = f"Uma has {10 + number % 80} cards.\n{''.join(events)}How many cards does Uma have?\n"
        sampling = SamplingParams(max_tokens=110)
        made.append(GenerateRequest(prompt=Prompt(text=text), n=SAMPLES, seed=number, sampling=sampling))
    return made


def script(_request: GenerateRequest, _index: int, seed: int) -> str:
    """A text as long as the bundled model's."""
    return f"May: 62//3=20\nJune: 20+76=96\nJuly: 96*2=192\nAugust: 192-15=177\nAnswer: {seed % 200}\n"


async def _measure(open_engine: Callable[[], Engine], count: int) -> Asked:
    """Open, warm up on another request, measure, close."""
    engine = open_engine()
    await engine.generate(GenerateRequest(prompt=Prompt(text="Uma"), n=4, sampling=SamplingParams(max_tokens=4)))
    asked = await ask_all(engine, requests(count))
    await engine.close()
    return asked


def store(count: int, scratch: Path) -> dict[str, float]:
    """Processor seconds that the store adds to a rollout, as a share of the bundled model's own for one."""
    model = asyncio.run(_measure(TransformersSpec().open, count))
    plain = asyncio.run(_measure(lambda: ScriptedEngine(script), count * 8))
    path = scratch / "cost.sqlite"
    stored = asyncio.run(_measure(lambda: RolloutStore(ScriptedEngine(script), path), count * 8))
    added, own = (stored.cpu_s - plain.cpu_s) / stored.samples, model.cpu_s / model.samples
    return {
        "rollouts": stored.samples,
        "added_us_per_rollout": added * 1e6,
        "model_us_per_rollout": own * 1e6,
        "share_of_model": added / own,
        "bytes_per_rollout": path.stat().st_size / stored.samples,
        "model_tokens_per_cpu_s": model.tokens / model.cpu_s,
    }


def replay(problems: int, scratch: Path) -> dict[str, float]:
    """A whole run, and another into a new folder that finds every rollout in the first one's store."""
    path = scratch / "problems.jsonl"
    write_problems(path, count=problems, seed=12, events=(4, 8))
    with kept_warm(TransformersSpec().open()) as (warm, spec):
        recipe = math_shepherd(replace(model_use("bundled"), engine=spec))
        _run(recipe, path, scratch / "warm-up", scratch / "other.sqlite", limit=8)
        first, calls = _counted(warm, recipe, path, scratch / "first", scratch / "rollouts.sqlite")
        again, calls_again = _counted(warm, recipe, path, scratch / "again", scratch / "rollouts.sqlite")
    return {
        "problems": problems,
        "engine_calls_first": calls,
        "engine_calls_replay": calls_again,
        "first_s": first,
        "replay_s": again,
        "speed_up": first / again,
    }


def _counted(warm: WarmEngine, recipe: Recipe, problems: Path, output: Path, path: Path) -> tuple[float, int]:
    warm.forget()
    seconds = _run(recipe, problems, output, path)
    return seconds, len(warm.requests)


def _run(recipe: Recipe, problems: Path, output: Path, path: Path, limit: int | None = None) -> float:
    start = time.perf_counter()
    options = RunOptions(input=str(problems), output=str(output), store=str(path), limit=limit)
    run(recipe, options, Console(file=io.StringIO()))
    return time.perf_counter() - start
