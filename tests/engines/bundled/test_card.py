"""The model card says what the figures say."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from steplabel.engines.bundled.card import training_totals, write_card

TRAINING: dict[str, Any] = {
    "config": {
        "data": {"seed": 0, "steps": 4000, "tokens": 6144, "slip_rate": 0.04, "slip_masked": 0.5},
        "model": {
            "vocabulary": 233,
            "width": 192,
            "layers": 4,
            "heads": 6,
            "hidden": 512,
            "positions": 512,
            "rope_base": 10000.0,
            "epsilon": 1e-5,
        },
        "threads": 2,
        "device": "cpu",
        "compiled": True,
    },
    "log": [
        {"step": 50, "loss": 2.0, "seconds": 30.0, "tokens": 300_000},
        {"step": 100, "loss": 1.0, "seconds": 60.0, "tokens": 600_000},
        {"step": 100, "accuracy": 0.5},
        {"step": 150, "loss": 0.25, "seconds": 40.0, "tokens": 300_000},
    ],
}


def solutions(temperature: float) -> dict[str, Any]:
    return {
        "temperature": temperature,
        "accuracy": {"hits": 3, "of": 4},
        "target": {"hits": 1, "of": 2},
        "by_events": {"1": {"hits": 1, "of": 1}, "10": {"hits": 2, "of": 3}, "2": {"hits": 0, "of": 0}},
        "lucky": {"hits": 1, "of": 5},
        "harmless": {"hits": 2, "of": 5},
        "unfinished": {"hits": 0, "of": 4},
        "hazard": [{"hits": 1, "of": 4}, {"hits": 1, "of": 8}],
        "by_operation": {"%": {"hits": 1, "of": 10}},
        "kinds": {"arithmetic": 7, "key": 1},
    }


FIGURES: dict[str, Any] = {
    "command": "python benchmarks/bundled_model.py --problems 4 --card",
    "parameters": 1_815_936,
    "held_out_problems": 4,
    "trained_problems": 170_000,
    "overlap": 0,
    "solutions": [solutions(0.7), solutions(1.0)],
    "rollouts": [
        {
            "temperature": 0.7,
            "solutions": 300,
            "samples": 16,
            "from_correct": {"hits": 8, "of": 10},
            "from_wrong": {"hits": 2, "of": 10},
            "missed": {"hits": 1, "of": 40},
            "flattered": {"hits": 1, "of": 3},
        }
    ],
}


@pytest.fixture
def card() -> str:
    return write_card(TRAINING, FIGURES)


def test_head_is_yaml(card: str) -> None:
    """The Hub reads licence and library from the front matter."""
    head = card.split("---\n")[1]
    assert "license: apache-2.0\n" in head
    assert "library_name: transformers\n" in head
    assert card.startswith("---\n")


@pytest.mark.parametrize(
    "line",
    [
        "| right final answer | 75.0 % | 75.0 % |",
        "| right final answer, 4 to 8 events | 50.0 % | 50.0 % |",
        "| right in the end, of those with a wrong step | 20.0 % | 20.0 % |",
        "| 10 | 66.7 % | 66.7 % |",
        "| 2 | 12.5 % | 12.5 % |",
        "| `%` | 10.0 % | 10.0 % |",
        "| arithmetic | 7 | 7 |",
        "| solutions | 300 |",
        "| mean success from correct prefixes | 80.0 % |",
        "| wrong prefixes with a success | 33.3 % |",
        "    python benchmarks/bundled_model.py --problems 4 --card",
        "    python -m steplabel.engines.bundled.train --out DIR --seed 0 --steps 4000 --compile",
    ],
)
def test_lines(card: str, line: str) -> None:
    """Every figure stands in its table; commands can be copied."""
    assert line in card.split("\n")


def test_training_is_described(card: str) -> None:
    """Size, cost and disjointness are said in words."""
    for fact in ("1,815,936 parameters", "0.9 million tokens", "170,000 problems", "0 of"):
        assert fact in card


def test_totals_add_up_over_restarts() -> None:
    """Each process counts from its own start: 60 and 40 seconds, 600 and 300 thousand tokens."""
    assert training_totals(TRAINING["log"]) == (100.0, 900_000)
    assert training_totals(TRAINING["log"][:2]) == (60.0, 600_000)
    assert training_totals([]) == (0, 0)


def test_nothing_is_left_to_fill_in(card: str) -> None:
    """No slot of a template survives."""
    assert "{" not in card
    assert "None" not in card


def test_sizes_are_in_order(card: str) -> None:
    """Ten comes after two, although JSON keys are text."""
    rows = [line for line in card.split("\n") if line.startswith(("| 1 |", "| 2 |", "| 10 |"))]
    assert [row.split(" | ")[0] for row in rows[:3]] == ["| 1", "| 2", "| 10"]


def test_figures_may_come_from_json_or_not() -> None:
    """Fresh figures (whole-number keys) and stored ones give one card."""
    fresh = copy.deepcopy(FIGURES)
    for entry in fresh["solutions"]:
        entry["by_events"] = {int(size): value for size, value in entry["by_events"].items()}
    assert write_card(TRAINING, fresh) == write_card(TRAINING, json.loads(json.dumps(fresh)))


def test_card_compares_a_second_run() -> None:
    """Another run's accuracy stands below ours, temperature by temperature; one it lacks stays empty."""
    card = write_card(TRAINING, FIGURES, FIGURES | {"solutions": [solutions(1.0)]})
    ours = next(line for line in card.splitlines() if line.startswith("| these weights"))
    other = next(line for line in card.splitlines() if line.startswith("| the other seed"))
    assert other.split("|")[2].strip() == ""
    assert other.split("|")[3] == ours.split("|")[3]
    assert "Trained again" not in write_card(TRAINING, FIGURES)


def test_card_without_rollouts() -> None:
    """A quick evaluation without rollouts has a card as well."""
    assert "Monte-Carlo" not in write_card(TRAINING, FIGURES | {"rollouts": []})
