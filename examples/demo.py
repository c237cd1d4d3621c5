"""The main job on the bundled model, as `make demo` runs it: every command is printed before it runs.

    python examples/demo.py [FOLDER]

Two recipes label the same sampled solutions of generated problems and share one rollout store, so what the second
asks again is free. Because the problems are generated the truth is known, and the last command measures both.
Stop it and start it again: it goes on. Remove the folder to start afresh.
"""

from __future__ import annotations

import shlex
import sys

from rich.console import Console

from steplabel.pipelines.cli import app, guarded

PROBLEMS = 90
"""Enough that the question filter keeps more than 50 problems and 200 solutions, few enough for five minutes on two
cores."""

console = Console()


def step(*arguments: str) -> None:
    """Print a command and run it; a failure ends the demo."""
    console.print(f"\n[bold]$ steplabel {shlex.join(arguments)}[/]", highlight=False, soft_wrap=True)
    if code := guarded(lambda: app(list(arguments))):
        sys.exit(code)


def main(folder: str) -> None:
    """Generate, label twice, measure, look."""
    source, store = f"{folder}/problems.jsonl", f"{folder}/rollouts.sqlite"
    step("problems", "--count", str(PROBLEMS), "--output", source)
    for recipe in ("omegaprm_locate", "math_shepherd"):
        step("run", recipe, "--input", source, "--output", f"{folder}/{recipe}", "--store", store)
    step("evaluate", f"{folder}/omegaprm_locate", f"{folder}/math_shepherd", "--gold", "exact")
    step("inspect", f"{folder}/omegaprm_locate", "--errors", "-n", "1")
    console.print(
        f"\nThe datasets lie in {folder}/. Load one:\n\n    import datasets\n"
        f'    labels = datasets.load_dataset("{folder}/omegaprm_locate", split="train")\n',
        highlight=False,
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "demo-output")
