"""The bundled model's card, written from its figures: regenerate it, do not edit it.

`write_card` takes the two JSON files that stand beside the weights: `training.json`, which training writes,
and `figures.json`, which `benchmarks/bundled_model.py` writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_FRONT = """\
---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
tags:
- process-reward-model
- arithmetic
- synthetic
---

# steplabel bundled model

A Llama of {parameters:,} parameters (width {width}, {layers} layers, {heads} heads, tied embeddings,
{vocabulary} tokens), trained from nothing on generated multi-step arithmetic problems. It exists to make real
mistakes: because the problems are generated, every step of its solutions has an exact truth, and step labels
can be measured against it.

    Uma has 62 cards.
    May: keeps one in 3.
    June: gets 76 as a gift.
    How many cards are left?

is to be answered by

    May: 62//3=20
    June: 20+76=96
    Answer: 96

**Intended use**: demonstrations, tests and benchmarks of step-labelling methods, on any machine. **Not** for
arithmetic, and not for text outside its {vocabulary} tokens: other words become `<unk>`.

```python
from transformers import AutoModelForCausalLM, AutoTokenizer
from steplabel.engines.bundled import weights_path

tokenizer = AutoTokenizer.from_pretrained(weights_path())
model = AutoModelForCausalLM.from_pretrained(weights_path())
```

A prompt is the problem's text with its closing newline; a solution ends with `</s>` after the answer. Weights
are stored in bfloat16.
"""

_TRAINING = """
## Training

    {command}

{steps:,} steps, {tokens:.1f} million tokens ({problems:,} problems, drawn as they are needed), {minutes:.0f} minutes of
wall time on a {device}; loss at the end {loss:.3f}. Muon on matrices, AdamW on the rest; curriculum of 1 to 10
events; one line in {slips:.0f} holds an injected slip, from which the following lines go on faithfully.

One sixteenth of the space of problems, chosen by a hash of what they compute, is held out: training never
draws from it and everything below is measured on it alone. Held-out problems that were also trained on:
{overlap} of {held_out:,}.
"""


def write_card(training: dict[str, Any], figures: dict[str, Any], again: dict[str, Any] | None = None) -> str:
    """The card as Markdown with a YAML head, from `training.json` and `figures.json`.

    Args:
        again: `figures.json` of another training run by the same command with another seed.
    """
    return "".join(
        (
            _FRONT.format(parameters=figures["parameters"], **training["config"]["model"]),
            _training_part(training, figures),
            _solution_part(figures["solutions"]),
            _rollout_part(figures["rollouts"]),
            _again_part(figures["solutions"], again["solutions"]) if again else "",
            f"\n## Reproduce\n\n    {figures['command']}\n",
        )
    )


def training_totals(log: Sequence[dict[str, Any]]) -> tuple[float, int]:
    """Seconds and tokens of a whole run from its log, where each process counted from its own start.

    A process that was killed after its last checkpoint has its unsaved steps counted by nobody.
    """
    reports = [entry for entry in log if "seconds" in entry]
    ends = [
        entry
        for entry, following in zip(reports, [*reports, None][1:], strict=True)
        if following is None or following["seconds"] < entry["seconds"]
    ]
    return sum(entry["seconds"] for entry in ends), sum(entry["tokens"] for entry in ends)


def _training_part(training: dict[str, Any], figures: dict[str, Any]) -> str:
    config, log = training["config"], training["log"]
    seconds, tokens = training_totals(log)
    data = config["data"]
    command = "python -m steplabel.engines.bundled.train --out DIR"
    command += f" --seed {data['seed']} --steps {data['steps']}" + (" --compile" if config["compiled"] else "")
    return _TRAINING.format(
        command=command,
        steps=data["steps"],
        tokens=tokens / 1e6,
        problems=figures["trained_problems"],
        minutes=seconds / 60,
        device="GPU" if config["device"] == "cuda" else "CPU",
        loss=[entry["loss"] for entry in log if "loss" in entry][-1],
        slips=1 / data["slip_rate"],
        overlap=figures["overlap"],
        held_out=figures["held_out_problems"],
    )


def _solution_part(solutions: Sequence[dict[str, Any]]) -> str:
    temperatures = [f"T={entry['temperature']:g}" for entry in solutions]
    sizes = sorted({int(size) for entry in solutions for size in entry["by_events"]})
    operations = sorted({name for entry in solutions for name in entry["by_operation"]})
    kinds = sorted({kind for entry in solutions for kind in entry["kinds"]})
    overall = [
        ("right final answer", [_percent(entry["accuracy"]) for entry in solutions]),
        ("right final answer, 4 to 8 events", [_percent(entry["target"]) for entry in solutions]),
        ("right in the end, of those with a wrong step", [_percent(entry["lucky"]) for entry in solutions]),
        ("first wrong step is read by no later one", [_percent(entry["harmless"]) for entry in solutions]),
        ("no answer line", [_percent(entry["unfinished"]) for entry in solutions]),
    ]
    by_size = [(str(n), [_percent(_at(entry["by_events"], n)) for entry in solutions]) for n in sizes]
    lines = max(len(entry["hazard"]) for entry in solutions)
    hazard = [(str(n + 1), [_percent(_item(entry["hazard"], n)) for entry in solutions]) for n in range(lines)]
    by_operation = [
        (f"`{name}`", [_percent(entry["by_operation"].get(name)) for entry in solutions]) for name in operations
    ]
    by_kind = [(kind, [str(entry["kinds"].get(kind, 0)) for entry in solutions]) for kind in kinds]
    return "".join(
        (
            f"\n## Solutions\n\n{solutions[0]['accuracy']['of']:,} held-out problems at each temperature, one sample ",
            "each.\n\n",
            _table("", temperatures, overall),
            "\nRight final answers by number of events:\n\n",
            _table("events", temperatures, by_size),
            "\nFirst errors at each line, among solutions that were right up to there:\n\n",
            _table("line", temperatures, hazard),
            "\nFirst errors per step of each operation, after right steps only:\n\n",
            _table("operation", temperatures, by_operation),
            "\nNumber of first errors of each kind:\n\n",
            _table("kind", temperatures, by_kind),
        )
    )


def _rollout_part(rollouts: Sequence[dict[str, Any]]) -> str:
    if not rollouts:
        return ""
    temperatures = [f"T={entry['temperature']:g}" for entry in rollouts]
    rows = [
        ("solutions", [str(entry["solutions"]) for entry in rollouts]),
        ("mean success from correct prefixes", [_percent(entry["from_correct"]) for entry in rollouts]),
        ("mean success from wrong prefixes", [_percent(entry["from_wrong"]) for entry in rollouts]),
        ("correct prefixes without any success", [_percent(entry["missed"]) for entry in rollouts]),
        ("wrong prefixes with a success", [_percent(entry["flattered"]) for entry in rollouts]),
    ]
    return (
        f"\n## Monte-Carlo rollouts\n\n{rollouts[0]['samples']} rollouts from every prefix of solutions of 4 to 8 "
        "events, half of them with a wrong step.\n\n" + _table("", temperatures, rows)
    )


def _again_part(first: Sequence[dict[str, Any]], again: Sequence[dict[str, Any]]) -> str:
    temperatures = [f"T={entry['temperature']:g}" for entry in first]
    found = {entry["temperature"]: entry["target"] for entry in again}
    rows = [
        ("these weights", [_percent(entry["target"]) for entry in first]),
        ("the other seed", [_percent(found.get(entry["temperature"])) for entry in first]),
    ]
    return (
        "\n## Trained again\n\nThe same command with another seed, from nothing: right final answers, 4 to 8 events, "
        "on the same held-out problems.\n\n" + _table("", temperatures, rows)
    )


def _table(corner: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    head = [f"| {corner} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    return "\n".join(head + [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]) + "\n"


def _at(by_events: dict[Any, Any], size: int) -> dict[str, int] | None:
    """JSON turns whole-number keys into text."""
    found: dict[str, int] | None = by_events.get(size, by_events.get(str(size)))
    return found


def _item(shares: Sequence[dict[str, int]], index: int) -> dict[str, int] | None:
    return shares[index] if index < len(shares) else None


def _percent(share: dict[str, int] | None) -> str:
    return f"{100 * share['hits'] / share['of']:.1f} %" if share and share["of"] else ""
