"""Verdicts do not depend on how a proof is written down: other orders, names, numbers and equal formulas."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from string import ascii_uppercase

import pytest

from steplabel.schemas import GivenSteps, Problem, Verdict, make_solution
from steplabel.verifiers import observe
from steplabel.verifiers.logic import LogicDials, LogicVerifier, Surface, logic_solutions

DIALS = LogicDials(surfaces=(Surface.LETTERS,), steps=(2, 6), distractors=(1, 5))
VERIFIER = LogicVerifier()
Text = tuple[str, tuple[str, ...]]
"""A problem's text and the steps' texts."""


def verdicts(text: Text) -> list[Verdict | None]:
    problem = Problem(id="p", text=text[0], domain="logic")
    solution = make_solution(problem, GivenSteps(separator="\n").join(text[1]))
    said = {one.subject: one.verdict for one in observe(VERIFIER, problem, solution)}
    return [said.get(key) for key in solution.node_keys]


def everywhere(text: Text, pattern: str, change: Callable[[re.Match[str]], str]) -> Text:
    problem, steps = text
    return re.sub(pattern, change, problem), tuple(re.sub(pattern, change, step) for step in steps)


def facts(text: Text, change: Callable[[list[str]], list[str]]) -> Text:
    """The lines of the facts, which stand last, changed."""
    head, mark, lines = text[0].partition("$context$:\n")
    return head + mark + "\n".join(change(lines.split("\n"))), text[1]


def reordered(text: Text, rng: random.Random) -> Text:
    return facts(text, lambda lines: rng.sample(lines, len(lines)))


def renumbered(text: Text, rng: random.Random) -> Text:
    numbers = rng.sample(range(100, 900), 100)
    return everywhere(text, r"(fact|int)([0-9]+)", lambda found: f"{found[1]}{numbers[int(found[2])]}")


def renamed(text: Text, rng: random.Random) -> Text:
    names = [*ascii_uppercase, *(a + b for a in ascii_uppercase for b in ascii_uppercase)]
    new = dict(zip(names, rng.sample(names, len(names)), strict=True))
    return everywhere(text, r"\{([A-Z]{1,2})\}", lambda found: f"{{{new[found[1]]}}}")


def things_renamed(text: Text, _: random.Random) -> Text:
    return everywhere(text, r"\{([a-z])\}", lambda found: f"{{thing_{found[1]}}}")


def variables_renamed(text: Text, _: random.Random) -> Text:
    quantified = everywhere(text, r"\((E?)x\):", lambda found: f"({found[1]}z3):")
    return everywhere(quantified, r"(?<=\})x", lambda _: "z3")


def doubly_negated(text: Text, _: random.Random) -> Text:
    return facts(text, lambda lines: [re.sub(r": (.*)", r": ¬¬(\1)", line, count=1) for line in lines])


def idly_quantified(text: Text, _: random.Random) -> Text:
    return facts(text, lambda lines: [re.sub(r": (.*)", r": (y): (\1)", line, count=1) for line in lines])


def cited_backwards(text: Text, _: random.Random) -> Text:
    def turned(step: str) -> str:
        cites, arrow, rest = step.partition(" -> ")
        return " & ".join(reversed(cites.split(" & "))) + arrow + rest if arrow else step

    return text[0], tuple(map(turned, text[1]))


CHANGES = (
    reordered,
    renumbered,
    renamed,
    things_renamed,
    variables_renamed,
    doubly_negated,
    idly_quantified,
    cited_backwards,
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_verdicts_stay(change: Callable[[Text, random.Random], Text]) -> None:
    """Of right and corrupted proofs alike; without a gold label the final answer is judged by the facts, too."""
    rng = random.Random(7)
    changed = 0
    for written in logic_solutions(15, seed=11, dials=DIALS, corrupted=2):
        text = written.problem.text, tuple(step.text.rstrip("\n") for step in written.solution.steps)
        other = change(text, rng)
        changed += other != text
        assert verdicts(other) == verdicts(text) == [Verdict.HOLDS if h else Verdict.FAILS for h in written.holds]
    assert changed > 8


def test_a_conclusion_of_a_symbol_that_no_premise_has_fails() -> None:
    """Nothing consistent entails it: each step of a right proof fails that says it instead, and the others hold."""
    for written in logic_solutions(10, seed=12, dials=DIALS, corrupted=0):
        steps = [step.text.rstrip("\n") for step in written.solution.steps[:-1]]
        head, colon, _ = steps[-1].partition(": ")
        if colon:
            said = verdicts((written.problem.text, (*steps[:-1], f"{head}: {{NEW}}")))
            assert said == [Verdict.HOLDS] * (len(steps) - 1) + [Verdict.FAILS]
