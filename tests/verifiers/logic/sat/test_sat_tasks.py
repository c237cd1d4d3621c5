"""SAT tasks: answers are checked by what they must satisfy, and the checks agree with trying everything."""

from __future__ import annotations

import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import AnswerType, ConfigError, Problem, Reason, Step, StepKind, Verdict, make_solution
from steplabel.verifiers import Finding, Verifier, observe
from steplabel.verifiers.logic import SatDials, SatTask, SatTaskVerifier, sat_problems
from steplabel.verifiers.logic.sat.checker import MAX_QUESTIONS, SatAnswer
from steplabel.verifiers.logic.sat.cnf import ClauseForm, Cnf, read_cnf, satisfied, write_cnf
from steplabel.verifiers.logic.sat.oracle import Oracle
from steplabel.verifiers.logic.sat.tasks import QUESTIONS, read_task, solve
from steplabel.verifiers.port import Claim

TABLES = SatTaskVerifier()
SOLVER = SatTaskVerifier(oracle=Oracle(max_table=0))
BOTH = {"tables": TABLES, "z3": SOLVER}
FORMULA = Cnf(2, ((1,), (-1,), (1, 2), (-1, 2)))


def judged(verifier: SatTaskVerifier, task: SatTask, cnf: Cnf, digits: str) -> Finding:
    return verifier.verify(Claim(subject="s", body=SatAnswer(task, cnf, digits)))


def possible(cnf: Cnf | None) -> bool:
    return cnf is None or any(all(satisfied(cnf, values)) for values in product((False, True), repeat=cnf.variables))


def right_by_definition(task: SatTask, cnf: Cnf, digits: str) -> bool:
    """By trying everything, with nothing but `satisfied`."""
    chosen = [digit == "1" for digit in digits]
    if task is SatTask.DECIDE:
        return chosen[0] is possible(cnf)
    if task is SatTask.ASSIGNMENT:
        return all(satisfied(cnf, chosen))
    if task is SatTask.MAX_SAT:
        best = max(sum(satisfied(cnf, values)) for values in product((False, True), repeat=cnf.variables))
        return sum(satisfied(cnf, chosen)) == best
    marked = {index for index, taken in enumerate(chosen) if taken}
    if task is SatTask.CORE:
        return not possible(cnf.only(marked)) and all(possible(cnf.only(marked - {i})) for i in marked)
    kept = set(range(len(cnf.clauses))) - marked
    return possible(cnf.only(kept)) and not any(possible(cnf.only(kept | {i})) for i in marked)


def small_formulas() -> st.SearchStrategy[Cnf]:
    literals = st.sampled_from([1, -1, 2, -2, 3, -3])
    clauses = st.lists(st.lists(literals, min_size=1, max_size=2).map(tuple), min_size=1, max_size=5).map(tuple)
    return st.builds(Cnf, st.just(3), clauses)


@pytest.mark.parametrize("verifier", BOTH.values(), ids=BOTH)
@pytest.mark.parametrize("task", SatTask)
@settings(max_examples=15)
@given(cnf=small_formulas(), data=st.data())
def test_agrees_with_trying_everything(verifier: SatTaskVerifier, task: SatTask, cnf: Cnf, data: st.DataObject) -> None:
    """Any answer to any formula is judged as the definition judges it, by tables and by Z3."""
    length = {SatTask.DECIDE: 1, SatTask.ASSIGNMENT: 3, SatTask.MAX_SAT: 3}.get(task, len(cnf.clauses))
    digits = data.draw(st.text("01", min_size=length, max_size=length))
    expected = Verdict.HOLDS if right_by_definition(task, cnf, digits) else Verdict.FAILS
    assert judged(verifier, task, cnf, digits).verdict is expected


CASES = {
    "decided no": (SatTask.DECIDE, "0", Verdict.HOLDS, "no assignment satisfies all"),
    "decided yes": (SatTask.DECIDE, "1", Verdict.FAILS, "no assignment satisfies all"),
    "assignment": (SatTask.ASSIGNMENT, "11", Verdict.FAILS, "clause 2 is not satisfied"),
    "best": (SatTask.MAX_SAT, "11", Verdict.HOLDS, "3 clauses; no assignment satisfies more"),
    "not the best": (SatTask.MAX_SAT, "10", Verdict.FAILS, "2 clauses; "),
    "correction": (SatTask.CORRECTION_SET, "0100", Verdict.HOLDS, ""),
    "nothing removed": (SatTask.CORRECTION_SET, "0000", Verdict.FAILS, "cannot be satisfied at once"),
    "too much removed": (SatTask.CORRECTION_SET, "1100", Verdict.FAILS, "clause 1 can be kept"),
    "core": (SatTask.CORE, "1100", Verdict.HOLDS, ""),
    "no core": (SatTask.CORE, "1010", Verdict.FAILS, "satisfied by "),
    "empty core": (SatTask.CORE, "0000", Verdict.FAILS, "no clause is chosen"),
    "large core": (SatTask.CORE, "1110", Verdict.FAILS, "clause 3 is not needed"),
    "too few digits": (SatTask.CORE, "11", Verdict.FAILS, "2 digits, not 4"),
}


@pytest.mark.parametrize(("task", "digits", "verdict", "evidence"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("verifier", BOTH.values(), ids=BOTH)
def test_evidence(verifier: SatTaskVerifier, task: SatTask, digits: str, verdict: Verdict, evidence: str) -> None:
    """Each verdict says what backs it."""
    found = judged(verifier, task, FORMULA, digits)
    assert found.verdict is verdict
    assert evidence in found.evidence


def test_the_solver_is_named_where_it_spoke() -> None:
    """A finding by table or evaluation names no tool; Z3's names version and budget."""
    assert judged(TABLES, SatTask.DECIDE, FORMULA, "0").tool == ""
    assert judged(SOLVER, SatTask.ASSIGNMENT, FORMULA, "11").tool == ""
    by_solver = judged(SOLVER, SatTask.DECIDE, FORMULA, "0")
    assert (by_solver.tool, by_solver.budget) == ("z3", "rlimit 2000000")
    assert by_solver.tool_version


def test_many_variables_go_to_the_solver() -> None:
    """Past the size of tables Z3 decides: a chain of forty implications that ends in a contradiction."""
    chain = Cnf(40, ((1,), *((-x, x + 1) for x in range(1, 40)), (-40,)))
    assert judged(TABLES, SatTask.CORE, chain, "1" * 41).verdict is Verdict.HOLDS
    assert judged(TABLES, SatTask.DECIDE, chain, "0").tool == "z3"
    assert judged(TABLES, SatTask.MAX_SAT, chain, "1" * 40).verdict is Verdict.HOLDS
    assert judged(TABLES, SatTask.MAX_SAT, chain, "1" * 20 + "0" * 19 + "1").verdict is Verdict.FAILS


@pytest.mark.parametrize(
    "options", [{"max_table": 21}, {"max_table": -1}, {"rlimit": 0}, {"timeout_s": 0.0}, {"workers": 0}], ids=str
)
def test_impossible_oracles_are_refused(options: dict[str, float]) -> None:
    """A table of 200 variables would fill all memory of this process; no limit at all decides nothing."""
    with pytest.raises(ConfigError, match=next(iter(options))):
        Oracle(**options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="max_table=200"):
        solve(SatTask.DECIDE, Cnf(200, ((1, 200),)))


def test_spent_budgets_are_unknown() -> None:
    """Pigeons in too few holes with next to no budget, a worker with no time, too many questions for one answer."""
    holes, pigeons = 8, 9
    at = {(p, h): p * holes + h + 1 for p in range(pigeons) for h in range(holes)}
    places = [tuple(at[p, h] for h in range(holes)) for p in range(pigeons)]
    alone = [(-at[p, h], -at[q, h]) for h in range(holes) for p in range(pigeons) for q in range(p)]
    hard = Cnf(holes * pigeons, (*places, *alone))
    poor = judged(SatTaskVerifier(oracle=Oracle(rlimit=10)), SatTask.DECIDE, hard, "0")
    assert (poor.verdict, poor.reason.split(":")[0]) == (Verdict.UNKNOWN, Reason.UNDECIDED)
    slow = judged(SatTaskVerifier(oracle=Oracle(timeout_s=0.000001)), SatTask.DECIDE, hard, "0")
    assert (slow.verdict, slow.reason) == (Verdict.UNKNOWN, Reason.TIMEOUT)
    many = Cnf(1, ((1,), (-1,)) * MAX_QUESTIONS)
    greedy = judged(TABLES, SatTask.CORRECTION_SET, many, "10" * MAX_QUESTIONS)
    assert (greedy.verdict, greedy.reason) == (Verdict.UNKNOWN, Reason.BUDGET)


def test_generated_problems_have_the_answer_they_state() -> None:
    """The gold answer holds, by tables and by Z3; the text alone is enough to read task and clauses."""
    tasks = set()
    for problem in sat_problems(80, seed=1):
        assert problem.gold is not None
        assert problem.gold.type is AnswerType.FORMAL_GOAL
        tasks.add(read_task(problem.text))
        solution = make_solution(problem, (Step(text=problem.reference_solution),))
        for verifier in BOTH.values():
            (observation,) = observe(verifier, problem, solution)
            assert observation.verdict is Verdict.HOLDS, problem.text
    assert tasks == set(SatTask)


def test_problems_repeat_and_keep_to_their_dials() -> None:
    """Equal arguments give equal problems; a longer stream begins like a shorter one; sizes are as asked."""
    dials = SatDials(variables=(4, 5), literals=(2, 3), tasks=(SatTask.MAX_SAT,), forms=(ClauseForm.DIMACS,))
    short, long = list(sat_problems(5, seed=2, dials=dials)), list(sat_problems(9, seed=2, dials=dials))
    assert long[:5] == short
    for problem in long:
        cnf = read_cnf(problem.text)
        assert cnf is not None
        assert 4 <= cnf.variables <= 5
        assert {len(clause) for clause in cnf.clauses} <= {2, 3}
        assert not possible(cnf)
        assert read_task(problem.text) is SatTask.MAX_SAT


@pytest.mark.parametrize(
    "dials",
    [{"variables": (1, 3)}, {"variables": (3, 99)}, {"literals": (0, 2)}, {"literals": (2, 4)}, {"tasks": ()}],
    ids=str,
)
def test_impossible_dials_are_refused(dials: dict[str, tuple[int, int]]) -> None:
    """The error comes before the first problem."""
    with pytest.raises(ConfigError):
        SatDials(**dials)  # type: ignore[arg-type]


def test_tasks_without_an_answer_are_refused() -> None:
    """There is no assignment for what cannot be satisfied, and nothing to correct in what can."""
    with pytest.raises(ValueError, match="no answer"):
        solve(SatTask.ASSIGNMENT, FORMULA)
    with pytest.raises(ValueError, match="no answer"):
        solve(SatTask.CORRECTION_SET, Cnf(1, ((1,),)))


def _observed(text: str, *, kind: StepKind = StepKind.TEXT) -> list[Verdict]:
    problem = Problem(id="p", text=f"{write_cnf(FORMULA, ClauseForm.DIMACS)}\n\n{QUESTIONS[SatTask.DECIDE]}")
    solution = make_solution(problem, (Step(text=text, kind=kind),))
    return [observation.verdict for observation in observe(TABLES, problem, solution)]


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("The final answer is 0", [Verdict.HOLDS]),
        ("The final answer is **0**.", [Verdict.HOLDS]),
        ("Answer: $1$", [Verdict.FAILS]),
        ("The final answer is 1.\nNo.\nAnswer: 0", [Verdict.HOLDS]),
        ("**Answer:** 0", [Verdict.HOLDS]),
        ("So the final answer is 1", [Verdict.FAILS]),
        ("Wrong answer: 1", []),
        ("Suppose the final answer is 1. No.", []),
        ("The final answer is 1. No: the final answer is 0.", []),
        ("The final answer is 1. That cannot be.", []),
        ("The final answer is no", []),
        ("The final answer is 02", []),
        ("The final answer is 0 1", []),
        ("The final answer is 0, or 1", []),
        ("The final answer is 0\nThat is all.", [Verdict.HOLDS]),
        ("So 0.", []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_where_answers_stand(text: str, verdicts: list[Verdict]) -> None:
    """The last stated digits of a step count; other words in the line make it no answer."""
    assert _observed(text) == verdicts


def test_it_is_a_verifier_that_leaves_other_problems_alone() -> None:
    """Tool output is not judged, nor are problems without clauses or task."""
    assert isinstance(TABLES, Verifier)
    assert TABLES.version != SOLVER.version
    assert _observed("The final answer is 0", kind=StepKind.OBSERVATION) == []
    problem = Problem(id="p", text="How many? Answer with 1 for yes.")
    solution = make_solution(problem, (Step(text="The final answer is 1"),))
    assert observe(TABLES, problem, solution) == ()


def test_hostile(hostile: str) -> None:
    """No hostile text is an answer or a problem, and none takes a second."""
    if "\x00" in hostile or "\ud800" in hostile:
        pytest.skip("refused by Step itself")
    started = time.process_time()
    assert _observed(f"The final answer is {hostile}") == []
    problem = Problem(id="p", text=f"p cnf 3 1\n{hostile}\n{QUESTIONS[SatTask.CORE]}")
    solution = make_solution(problem, (Step(text="The final answer is 1"),))
    assert observe(TABLES, problem, solution) == ()
    assert time.process_time() - started < 1.0
