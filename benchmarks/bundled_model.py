"""What the bundled model does on problems it was never trained on; writes the figures of its model card.

    python benchmarks/bundled_model.py --problems 2000 --temperature 0.7 --temperature 1.0 [--json FILE]
    [--card]

Held-out problems of 1 to 10 events, as many of each length; one solution each at every temperature, judged
step by step. Then `--rollouts` completions from every prefix (after each event's line) of `--solutions`
solutions of 4 to 8 events, half of them with a wrong step. Before anything is sampled, every problem of the
training run is drawn again and compared with the held-out ones: one common problem, and the benchmark fails.

`--card` writes `figures.json` and the model card `README.md` beside the weights; with `--again FILE`, the card
compares them with a second training run, whose figures `--model DIR --json FILE` wrote (kept as `again.json`).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from steplabel.engines.bundled import weights_path
from steplabel.engines.bundled.batches import DataConfig, trained_contents
from steplabel.engines.bundled.card import write_card
from steplabel.engines.bundled.export import load_pretrained
from steplabel.engines.bundled.figures import (
    Judged,
    PrefixOutcome,
    RolloutFigures,
    SolutionFigures,
    count_rollouts,
    count_solutions,
)
from steplabel.engines.bundled.model import CompactLlama
from steplabel.engines.bundled.sampler import sample_texts
from steplabel.engines.bundled.task import MOST_EVENTS, ChainProblem, generate_problem, seeded
from steplabel.engines.bundled.truth import final_answer, split_lines


def draw_problems(count: int, seed: int) -> list[ChainProblem]:
    """Held-out problems of 1 to 10 events in turn, no two of which compute the same."""
    rng = seeded("benchmark", seed)
    problems: dict[str, ChainProblem] = {}
    while len(problems) < count:
        problem = generate_problem(rng, 1 + len(problems) % MOST_EVENTS, held_out=True)
        problems.setdefault(problem.content, problem)
    return list(problems.values())


def sample_solutions(
    model: CompactLlama, problems: Sequence[ChainProblem], temperature: float, seed: int
) -> list[Judged]:
    """One solution of each problem."""
    prompts = [problem.text for problem in problems]
    texts = sample_texts(model, prompts, temperature=temperature, seed=seed)
    return [Judged(problem=problem, text=text) for problem, (text,) in zip(problems, texts, strict=True)]


def choose_for_rollouts(solutions: Sequence[Judged], count: int) -> list[Judged]:
    """The first solutions of 4 to 8 events: half with a wrong step, half without."""
    sized = [solution for solution in solutions if 4 <= len(solution.problem.events) <= 8]
    wrong = [solution for solution in sized if solution.first >= 0]
    clean = [solution for solution in sized if solution.first < 0]
    half = min(count // 2, len(wrong), len(clean))
    return wrong[:half] + clean[:half]


def roll_out(
    model: CompactLlama, solutions: Sequence[Judged], samples: int, temperature: float, seed: int
) -> list[PrefixOutcome]:
    """Complete every prefix that ends after an event's line."""
    prefixes = [
        (solution, size)
        for solution in solutions
        for size in range(1, len(solution.lines))
        if not any(line.startswith("Answer") for line in solution.lines[:size])
    ]
    heads = ["".join(line + "\n" for line in solution.lines[:size]) for solution, size in prefixes]
    prompts = [solution.problem.text + head for (solution, _), head in zip(prefixes, heads, strict=True)]
    texts = sample_texts(model, prompts, temperature=temperature, seed=seed, samples=samples)
    return [
        PrefixOutcome(
            correct=solution.first < 0 or solution.first >= size,
            successes=sum(final_answer(split_lines(head + text)) == solution.problem.answer for text in completions),
            rollouts=samples,
        )
        for (solution, size), head, completions in zip(prefixes, heads, texts, strict=True)
    ]


def check_overlap(problems: Sequence[ChainProblem], training: dict[str, Any]) -> tuple[int, int]:
    """Draw the training run's problems again: (how many they are, how many held-out ones are among them)."""
    data = DataConfig(**training["config"]["data"])
    contents = {problem.content for problem in problems}
    trained = found = 0
    for content in trained_contents(data):
        trained += 1
        found += content in contents
    return trained, found


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run the whole benchmark; the result is what `figures.json` holds."""
    training = json.loads((options.model / "training.json").read_text(encoding="utf-8"))
    model = load_pretrained(options.model)
    problems = draw_problems(options.problems, options.seed)
    trained, overlap = check_overlap(problems, training)
    if overlap:
        sys.exit(f"{overlap} held-out problems were trained on: the figures would be worthless")
    solutions: list[SolutionFigures] = []
    rollouts: list[RolloutFigures] = []
    for temperature in options.temperature or [0.7, 1.0]:
        began = time.monotonic()
        judged = sample_solutions(model, problems, temperature, options.seed)
        solutions.append(count_solutions(judged, temperature=temperature))
        chosen = choose_for_rollouts(judged, options.solutions)
        outcomes = roll_out(model, chosen, options.rollouts, temperature, options.seed) if chosen else []
        rollouts.append(
            count_rollouts(outcomes, temperature=temperature, solutions=len(chosen), samples=options.rollouts)
        )
        print(_line(solutions[-1], rollouts[-1], time.monotonic() - began), file=sys.stderr)
    return {
        "command": "python benchmarks/bundled_model.py " + " ".join(_arguments(options)),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "held_out_problems": len(problems),
        "trained_problems": trained,
        "overlap": overlap,
        "solutions": [asdict(entry) for entry in solutions],
        "rollouts": [asdict(entry) for entry in rollouts],
    }


def write_beside(model: Path, figures: dict[str, Any], again: Path | None) -> None:
    """Write the figures and the card, and keep a second run's figures if they are given."""
    kept = model / "again.json"
    if again:
        kept.write_bytes(again.read_bytes())
    (model / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    other = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None
    training = json.loads((model / "training.json").read_text(encoding="utf-8"))
    (model / "README.md").write_text(write_card(training, figures, other), encoding="utf-8")


def _line(solutions: SolutionFigures, rollouts: RolloutFigures, seconds: float) -> str:
    return (
        f"T={solutions.temperature:g}: {solutions.accuracy.value:.3f} right, "
        f"{solutions.target.value:.3f} with 4 to 8 events; lucky {solutions.lucky.value:.3f}; rollouts "
        f"{rollouts.from_correct.value:.3f} from correct, {rollouts.from_wrong.value:.3f} from wrong prefixes "
        f"({seconds:.0f} s)"
    )


def _arguments(options: argparse.Namespace) -> list[str]:
    """The options that shape the figures, as they would be typed."""
    words = [f"--problems {options.problems}"]
    words += [f"--temperature {temperature:g}" for temperature in options.temperature or [0.7, 1.0]]
    words += [f"--solutions {options.solutions}", f"--rollouts {options.rollouts}", f"--seed {options.seed}"]
    return [*words, "--card"] if options.card else words


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=weights_path(), help="folder that training wrote")
    parser.add_argument("--problems", type=int, default=2000)
    parser.add_argument("--temperature", type=float, action="append", help="may be given again; 0.7 and 1.0")
    parser.add_argument("--solutions", type=int, default=300, help="solutions to roll out from")
    parser.add_argument("--rollouts", type=int, default=16, help="completions of each prefix")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--again", type=Path, help="figures of a second training run, for the card")
    parser.add_argument("--card", action="store_true", help="write figures.json and README.md beside the model")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Measure, then write what was asked for; without --json and --card, print the figures."""
    options = _parse(arguments)
    torch.set_num_threads(1)  # operations of a model this small end before a second thread has woken up
    figures = measure(options)
    text = json.dumps(figures, indent=1) + "\n"
    if options.json:
        options.json.write_text(text, encoding="utf-8")
    if options.card:
        write_beside(options.model, figures, options.again)
    if not options.json and not options.card:
        print(text)


if __name__ == "__main__":
    main()
