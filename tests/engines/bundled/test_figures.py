"""Figures count what their names say, on solutions small enough to count by hand."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled.figures import (
    Judged,
    PrefixOutcome,
    Share,
    count_rollouts,
    count_solutions,
    share,
)
from steplabel.engines.bundled.slips import write_solution
from steplabel.engines.bundled.task import ChainProblem, generate_problem, seeded

RIGHT = "May: 62//3=20\nJune: 20+76=96\nJuly: 96*2=192\nAnswer: 192"
WRONG = "May: 62//3=20\nJune: 20+76=86\nJuly: 86*2=172\nAnswer: 172"
LUCKY = "May: 62//3=20\nJune: 20+76=86\nJuly: 96*2=192\nAnswer: 192"
CUT = "May: 62//3=20\nJune: 20+76=96"


@pytest.fixture
def judged(diary: ChainProblem) -> list[Judged]:
    """One solution of each sort."""
    return [Judged(problem=diary, text=text) for text in (RIGHT, WRONG, LUCKY, CUT)]


@given(st.lists(st.booleans()))
def test_share_counts(flags: list[bool]) -> None:
    """A share keeps both numbers, and nothing out of nothing is zero."""
    counted = share(flags)
    assert (counted.hits, counted.of) == (sum(flags), len(flags))
    assert counted.value == (sum(flags) / len(flags) if flags else 0)


def test_judged_solution(judged: list[Judged]) -> None:
    """First error and outcome of each sort."""
    assert [solution.first for solution in judged] == [-1, 1, 1, -1]
    assert [solution.right for solution in judged] == [True, False, True, False]
    assert [len(solution.judged_alone) for solution in judged] == [4, 2, 2, 2]


def test_outcomes(judged: list[Judged]) -> None:
    """Accuracy, luck, harmlessness and missing answers."""
    figures = count_solutions(judged, temperature=0.7)
    assert figures.temperature == 0.7
    assert figures.accuracy == Share(hits=2, of=4)
    assert figures.by_events == {3: Share(hits=2, of=4)}
    assert figures.target == Share(hits=0, of=0)
    assert figures.lucky == Share(hits=1, of=2)
    assert figures.harmless == Share(hits=1, of=2)
    assert figures.unfinished == Share(hits=1, of=4)


def test_errors(judged: list[Judged]) -> None:
    """First errors by line, by operation and by kind; what comes after a first error counts nowhere."""
    figures = count_solutions(judged, temperature=1.0)
    assert figures.hazard == (
        Share(hits=0, of=4),
        Share(hits=2, of=4),
        Share(hits=0, of=1),
        Share(hits=0, of=1),
    )
    assert figures.by_operation == {
        "*": Share(hits=0, of=1),
        "+": Share(hits=2, of=4),
        "//": Share(hits=0, of=4),
    }
    assert figures.kinds == {"arithmetic": 2}


def test_target_is_four_to_eight_events() -> None:
    """The acceptance figure leaves short and long chains out."""
    rng = seeded("target")
    problems = [generate_problem(rng, size) for size in range(1, 11)]
    solved = [
        Judged(problem=problem, text="\n".join(line.text for line in write_solution(problem, rng, slip_rate=0)))
        for problem in problems
    ]
    figures = count_solutions(solved, temperature=1.0)
    assert figures.target == Share(hits=5, of=5)
    assert list(figures.by_events) == list(range(1, 11))


@given(seed=st.integers(0, 2**32))
def test_counts_add_up(seed: int) -> None:
    """First errors by line, by kind and by solution are the same errors."""
    rng = seeded(seed)
    solutions = []
    for _ in range(8):
        problem = generate_problem(rng, rng.randint(1, 10))
        text = "\n".join(line.text for line in write_solution(problem, rng, slip_rate=0.2))
        solutions.append(Judged(problem=problem, text=text))
    figures = count_solutions(solutions, temperature=1.0)
    wrong = sum(solution.first >= 0 for solution in solutions)
    assert sum(line.hits for line in figures.hazard) == wrong
    assert sum(figures.kinds.values()) == wrong == figures.lucky.of == figures.harmless.of
    assert sum(entry.hits for entry in figures.by_operation.values()) == wrong
    assert figures.hazard[0].of == len(solutions) == figures.accuracy.of


def test_no_solutions() -> None:
    """Nothing sampled, nothing claimed."""
    figures = count_solutions([], temperature=1.0)
    assert figures.accuracy == Share(hits=0, of=0)
    assert figures.hazard == ()


def test_rollouts() -> None:
    """Pooled success and the two ways in which the hard estimate is wrong."""
    outcomes = [
        PrefixOutcome(correct=True, successes=3, rollouts=4),
        PrefixOutcome(correct=True, successes=0, rollouts=4),
        PrefixOutcome(correct=False, successes=1, rollouts=4),
        PrefixOutcome(correct=False, successes=0, rollouts=4),
        PrefixOutcome(correct=False, successes=0, rollouts=4),
    ]
    figures = count_rollouts(outcomes, temperature=1.0, solutions=2, samples=4)
    assert figures.from_correct == Share(hits=3, of=8)
    assert figures.from_wrong == Share(hits=1, of=12)
    assert figures.missed == Share(hits=1, of=2)
    assert figures.flattered == Share(hits=1, of=3)


def test_figures_are_plain_values(judged: list[Judged]) -> None:
    """They survive JSON but for whole-number keys, which become text."""
    plain = asdict(count_solutions(judged, temperature=1.0))
    again = json.loads(json.dumps(plain))
    assert again["accuracy"] == {"hits": 2, "of": 4}
    assert again["by_events"] == {"3": {"hits": 2, "of": 4}}
