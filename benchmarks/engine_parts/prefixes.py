"""prefix_cache: what is saved where many samples share a prefix.

Two ways of asking the same samples: as Monte-Carlo search asks (8 of each prefix in one request, the prefixes of
a solution one after another), and with nothing shared (one request a sample, prefixes shuffled).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace

from engine_parts.choices import ENGINES
from engine_parts.storing import requests
from engine_parts.warm import Asked, ask_all
from steplabel.engines import Engine, GenerateRequest

LINES = ("May: 62//3=20\n", "June: 20+76=96\n", "July: 96*2=192\n")


def prefix_cache(names: Sequence[str], count: int) -> list[dict[str, object]]:
    """One row an engine: rates both ways, their ratio, and the share of prompt tokens found in the cache."""
    rows = []
    for name in names:
        if name == "server":
            continue  # it has no model, hence no cache
        with ENGINES[name]() as engine:
            rows.append({"engine": name, **asyncio.run(_both(engine, count))})
    return rows


async def _both(engine: Engine, count: int) -> dict[str, object]:
    shared = [replace(r, prefix="".join(LINES[:depth])) for r in requests(count) for depth in range(len(LINES) + 1)]
    alone = [replace(r, n=1, start=r.start + i) for r in shared for i in range(r.n)]
    random.Random(0).shuffle(alone)  # noqa: S311 - a benchmark
    try:
        await ask_all(engine, requests(2))
        together = await _fresh(engine, shared)
        apart = await _fresh(engine, alone)
    finally:
        await engine.close()
    return {
        "samples": together.samples,
        "shared_tokens_per_s": together.tokens / together.wall_s,
        "alone_tokens_per_s": apart.tokens / apart.wall_s,
        "ratio": (together.tokens / together.wall_s) / (apart.tokens / apart.wall_s),
        "shared_cached_share": together.cached_tokens / together.prompt_tokens,
        "alone_cached_share": apart.cached_tokens / apart.prompt_tokens,
    }


async def _fresh(engine: Engine, wanted: Sequence[GenerateRequest]) -> Asked:
    reset = getattr(engine, "reset_prefix_cache", None)
    if reset is not None:
        await reset()
    return await ask_all(engine, wanted)
