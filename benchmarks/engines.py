"""What engines, the pipeline around them, their clients and the store cost, on the machine at hand.

    python benchmarks/engines.py [--only NAME] [--engine NAME ...] [--json]

pipeline      a whole run / its own requests sent straight to the engine: median of interleaved pairs
schedule      2,000 requests to a server of 256 slots (0.5 s, 5 % take 3 s) / the ideal schedule
faults        10,000 requests of which the server fails one in ten / the same without a fault
store         what the rollout store adds to a rollout / the bundled model's own time for one
replay        a run / the same run again from the store
prefix_cache  samples that share their prefix / the same samples asked one by one

Engines: `transformers` and `vllm` run the bundled model, `server` is a process that answers without one.
Everything is a ratio within one run: machines differ, and are shared.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from engine_parts.choices import ENGINES, available
from engine_parts.faults import faults
from engine_parts.pipeline import Load, pipeline
from engine_parts.prefixes import prefix_cache
from engine_parts.schedule import schedule
from engine_parts.storing import replay, store

Part: TypeAlias = Callable[[argparse.Namespace, Path], Any]


def _pipeline(options: argparse.Namespace, scratch: Path) -> Any:
    load = Load(problems=options.problems, pairs=options.pairs, recipe=options.recipe, assignments=tuple(options.set))
    return pipeline(options.engine, load, scratch)


PARTS: Mapping[str, Part] = {
    "pipeline": _pipeline,
    "schedule": lambda options, _: schedule(options.requests, 0.5, 3.0, 0.05),
    "faults": lambda options, _: faults(5 * options.requests, 0.1),
    "store": lambda options, scratch: store(options.prompts, scratch),
    "replay": lambda options, scratch: replay(options.problems, scratch),
    "prefix_cache": lambda options, _: prefix_cache(options.engine, options.prompts // 4),
}


def report(results: Mapping[str, Any]) -> None:
    """A table for people."""
    for part, found in results.items():
        for row in found if isinstance(found, list) else [found]:
            print(f"{part:13}", "  ".join(f"{name}={_shown(value)}" for name, value in row.items()))


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + " ".join(map(_shown, value)) + "]"
    return value if isinstance(value, str) else f"{value:,.4g}"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=tuple(PARTS), nargs="+", default=list(PARTS))
    parser.add_argument("--engine", choices=tuple(ENGINES), nargs="+", default=list(available()))
    parser.add_argument("--problems", type=int, default=256, help="of pipeline and replay")
    parser.add_argument("--pairs", type=int, default=5, help="of pipeline")
    parser.add_argument("--recipe", default="omegaprm_locate", help="of pipeline")
    parser.add_argument("--set", nargs="*", default=list(Load().assignments), help="settings of that recipe")
    parser.add_argument("--requests", type=int, default=2000, help="of schedule; faults takes five times as many")
    parser.add_argument("--prompts", type=int, default=96, help="of store and prefix_cache")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    results: dict[str, Any] = {}
    for name in options.only:
        with tempfile.TemporaryDirectory() as folder:
            results[name] = PARTS[name](options, Path(folder))
    if options.json:
        print(json.dumps(results, indent=2))
    else:
        report(results)


if __name__ == "__main__":
    main()
