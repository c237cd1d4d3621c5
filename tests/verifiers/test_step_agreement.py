"""Agreement of step results among the solutions of one problem."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.schemas import Outcome, Problem, Solution, Step, StepKind, Verdict
from steplabel.schemas.layouts.gsm8k_solutions import read_model_solutions
from steplabel.schemas.solution import make_solution
from steplabel.verifiers.port import SiblingVerifier
from steplabel.verifiers.step_agreement import StepAgreement, step_result

PROBLEM = Problem(id="p", text="Natalia sold 48 clips in April, and half as many in May. How many did she sell?")
AGREEMENT = StepAgreement()


def solution(*texts: str, policy: str = "") -> Solution:
    return make_solution(PROBLEM, tuple(Step(text=text) for text in texts), policy=policy)


def scores(*solutions: Solution) -> dict[str, float | None]:
    return {o.subject: o.score for o in AGREEMENT.compare(PROBLEM, solutions)}


RESULTS = {
    "equation": ("She sold 48/2 = 24 clips in 1 month.", 24),
    "last equation": ("48/2 = 24 and 48+24 = 72.", 72),
    "chain": ("5 * 3 = 15 = 15.0", 15),
    "wrong equation": ("48/2 = 25", 25),
    "expression on the right": ("2 * 6 = 3 * 4", 12),
    "no equation": ("So she sold 72 clips.", 72),
    "answer line": ("#### 1,072", 1072),
    "letter": ("x = 5", 5),
    "decimal": ("The share is 0.25", Fraction(1, 4)),
    "percentage": ("10/50 = 20%", 20),
    "mark": ("48/2 = <<48/2=24>>24", 24),
    "latex": (r"\boxed{18}", 18),
    "unreadable equation, other number": ("the rest + 5 = 8", 8),
    "division by zero": ("6 = 5/0", 0),
    "nothing": ("She sold some.", None),
    "hidden character": ("5\u200b3", None),
}


@pytest.mark.parametrize(("text", "result"), RESULTS.values(), ids=RESULTS.keys())
def test_step_result(text: str, result: Fraction | int | None) -> None:
    """A step asserts the right side of its last equation, or else its last number."""
    assert step_result(text) == result


def test_meets_the_port() -> None:
    """It compares siblings, in any domain."""
    assert isinstance(AGREEMENT, SiblingVerifier)
    assert AGREEMENT.domains == frozenset()


def test_shares() -> None:
    """A step's score is the share of the other solutions with its result; a solution's, of its results alone."""
    one = solution("48/2 = 24\n", "48+24 = 72")
    two = solution("48 - 24 = 24.0 clips\n", "So 24 + 48 = 72")
    three = solution("48 * 2 = 96\n", "48 + 96 = 144")
    said = scores(one, two, three)
    assert [said[key] for key in one.node_keys] == [0.5, 0.5]
    assert [said[key] for key in three.node_keys] == [0.0, 0.0]
    assert (said[one.id], said[two.id], said[three.id]) == (0.0, 0.0, 1.0)


def test_evidence_holds_the_counts() -> None:
    """What was counted is written down, and nothing is decided."""
    one, two = solution("48/2 = 24"), solution("It is 24.\n", "48 * 3 = 144")
    said = {o.subject: o for o in AGREEMENT.compare(PROBLEM, (one, two))}
    assert json.loads(said[one.node_keys[0]].evidence) == {"result": "24", "stated_by": 1, "others": 1}
    assert json.loads(said[two.id].evidence) == {"results": 2, "alone": 1, "others": 1}
    assert {o.verdict for o in said.values()} == {Verdict.UNKNOWN}


def test_given_numbers_are_no_results() -> None:
    """That two solutions repeat a number of the problem says nothing."""
    one, two = solution("She sold 48 clips in April.\n", "48/2 = 24"), solution("There were 48.\n", "48/4 = 12")
    said = scores(one, two)
    assert one.node_keys[0] not in said
    assert said[one.id] == 1.0


def test_steps_without_a_result() -> None:
    """A solution without results gets no score, and none of its steps."""
    said = scores(solution("She sold some."), solution("48/2 = 24"))
    assert len(said) == 2


def test_alone() -> None:
    """One solution has nobody to agree with."""
    assert AGREEMENT.compare(PROBLEM, [solution("48/2 = 24")]) == ()
    assert AGREEMENT.compare(PROBLEM, []) == ()


def test_tool_output_is_no_result() -> None:
    """What the policy did not write is no claim of its own."""
    tool = make_solution(PROBLEM, (Step(text="24", kind=StepKind.OBSERVATION), Step(text="It is 72")))
    said = scores(tool, solution("48/2 = 24"))
    assert tool.node_keys[0] not in said
    assert said[tool.id] == 1.0


def test_a_shared_step_is_said_once() -> None:
    """Two solutions that begin alike share a node, and what is said about it."""
    one, two = solution("48/2 = 24\n", "48+24 = 72"), solution("48/2 = 24\n", "48-24 = 20")
    subjects = [o.subject for o in AGREEMENT.compare(PROBLEM, (one, two))]
    assert len(subjects) == len(set(subjects)) == 4
    third = solution("48 * 2 = 96")
    subjects = [o.subject for o in AGREEMENT.compare(PROBLEM, (one, two, third))]
    assert len(subjects) == len(set(subjects)) == 7


def test_who_shares_a_step_is_no_second_opinion_on_it() -> None:
    """Siblings of the same node are left out; where nobody else is left, nothing is said of the step."""
    one, two = solution("48/2 = 24\n", "48+24 = 72"), solution("48/2 = 24\n", "48-24 = 20")
    assert one.node_keys[0] == two.node_keys[0]
    assert one.node_keys[0] not in scores(one, two)
    agrees, differs = solution("Half of 48 is 24."), solution("48 * 2 = 96")
    said = {o.subject: o for o in AGREEMENT.compare(PROBLEM, (one, two, agrees, differs))}
    assert json.loads(said[one.node_keys[0]].evidence) == {"result": "24", "stated_by": 1, "others": 2}
    assert json.loads(said[agrees.node_keys[0]].evidence) == {"result": "24", "stated_by": 2, "others": 3}
    assert said[one.node_keys[0]].score == 0.5


def test_equal_solutions_say_nothing_of_their_steps() -> None:
    """The same text written twice is one set of nodes: no step is scored, however often it was drawn."""
    one, two = solution("48/2 = 24\n", "48+24 = 72", policy="a"), solution("48/2 = 24\n", "48+24 = 72", policy="b")
    assert scores(one, two) == {one.id: 0.0, two.id: 0.0}


def test_repeated_results_count_once() -> None:
    """A solution that says its result often does not agree with itself."""
    one, two = solution("48/2 = 24\n", "Thus 24."), solution("48 * 2 = 96")
    assert scores(one, two)[one.node_keys[0]] == 0.0


texts = st.lists(st.sampled_from(["1 + 1 = 2", "It is 3", "4", "none", "48", "5/0 = 1"]), min_size=1, max_size=4)


@given(st.lists(texts, min_size=2, max_size=5), st.randoms())
def test_order_plays_no_part(all_texts: list[list[str]], chance: object) -> None:
    """Whichever way the solutions are given, the same is said."""
    solutions = [solution(*[f"{t}\n" for t in each], policy=str(i)) for i, each in enumerate(all_texts)]
    assert scores(*solutions) == scores(*reversed(solutions))


@given(st.lists(st.text(min_size=1, max_size=80).filter(lambda t: "\x00" not in t and t.isprintable()), min_size=2))
def test_any_text(written: list[str]) -> None:
    """Scores are shares, whatever is written."""
    solutions = [solution(text, policy=str(number)) for number, text in enumerate(written)]
    assert all(o.score is not None and 0 <= o.score <= 1 for o in AGREEMENT.compare(PROBLEM, solutions))


@pytest.mark.data
@pytest.mark.slow
def test_tells_right_from_wrong_on_real_solutions(data_dir: Path) -> None:
    """Solutions whose results all stand elsewhere are mostly right; where most stand nowhere else, hardly any is."""
    shared, alone = [], []
    lines = (data_dir / "gsm8k" / "example_model_solutions.first660.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        evidence = read_model_solutions(json.loads(line), line=str(number))
        right = {o.subject: o.outcome is Outcome.CORRECT for o in evidence.outcomes}
        said = {o.subject: o.score for o in AGREEMENT.compare(evidence.problem, evidence.solutions)}
        for each in evidence.solutions:
            share = said.get(each.id)
            if share is not None and share == 0:
                shared.append(right[each.id])
            elif share is not None and share > 0.67:
                alone.append(right[each.id])
    assert sum(shared) / len(shared) > 0.6
    assert sum(alone) / len(alone) < 0.15
