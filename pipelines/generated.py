"""Problem files for the bundled model: generated, held out from its training, with a truth that is exact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from steplabel.engines.bundled.task import generate_problem, seeded
from steplabel.schemas import ConfigError


def problem_rows(*, count: int, seed: int, events: tuple[int, int]) -> Iterator[dict[str, str]]:
    """Rows of the native layout; equal arguments give equal rows, and a longer file begins like a shorter one."""
    low, high = events
    if low > high:
        raise ConfigError(f"--min-events {low} is more than --max-events {high}")
    for number in range(count):
        rng = seeded("problems", seed, number)
        problem = generate_problem(rng, rng.randint(low, high), held_out=True)
        yield {
            "id": f"generated-{seed}-{number:06d}",
            "problem": problem.text.removesuffix("\n"),
            "answer": str(problem.answer),
            "answer_type": "number",
            "domain": "arithmetic",
            "source": "steplabel-generated",
            "licence": "Apache-2.0",
            "split": "held-out",
        }


def write_problems(path: Path, *, count: int, seed: int, events: tuple[int, int]) -> None:
    """Write a JSONL file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as handle:
        for row in problem_rows(count=count, seed=seed, events=events):
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
