"""Corrupted proofs and the stream of records: exactly one step is wrong, and every truth is known."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import NO_ERROR, Outcome, Verdict
from steplabel.verifiers import AnswerChecker, observe
from steplabel.verifiers.logic import Corruption, LogicDials, LogicVerifier, logic_problems, logic_solutions
from steplabel.verifiers.logic.corruption import conclusion_of, corrupt
from steplabel.verifiers.logic.generation import GeneratedLogic, generate
from steplabel.verifiers.logic.semantics import refutes

DIALS = LogicDials(steps=(3, 6))
SEEDS = st.integers(0, 10**6)


def problem_of(seed: int) -> GeneratedLogic:
    return generate(seed=seed, number=0, dials=DIALS)


@pytest.mark.parametrize("kind", Corruption)
@settings(max_examples=25)
@given(seed=SEEDS)
def test_one_step_is_wrong_and_a_model_shows_it(kind: Corruption, seed: int) -> None:
    """In the witness all that the wrong step cites is true and its conclusion is not; earlier steps do not change."""
    problem = problem_of(seed)
    proof = corrupt(problem, kind, rng=random.Random(seed))
    if proof is None:
        return
    assert proof.steps[: proof.wrong] == problem.steps[: proof.wrong]
    assert len(proof.steps) == len(problem.steps)
    if kind is Corruption.WRONG_ANSWER:
        assert (proof.steps, proof.wrong) == (problem.steps, len(problem.steps))
        assert proof.answer is not problem.label
        return
    known = dict(problem.task.facts) | {
        step.target: conclusion_of(step, problem) for step in proof.steps[: proof.wrong]
    }
    wrong = proof.steps[proof.wrong]
    assert proof.answer is problem.label
    assert proof.witness is not None
    assert refutes(proof.witness, [known[name] for name in wrong.cites], conclusion_of(wrong, problem))


@settings(max_examples=40)
@given(seed=SEEDS)
def test_the_verifier_finds_exactly_the_wrong_step(seed: int) -> None:
    """Clean proofs hold throughout; in corrupted ones the one wrong step fails and all others hold."""
    verifier = LogicVerifier()
    for written in logic_solutions(1, seed=seed, dials=DIALS, corrupted=len(Corruption)):
        said = {o.subject: o.verdict for o in observe(verifier, written.problem, written.solution)}
        expected = [Verdict.HOLDS if holds else Verdict.FAILS for holds in written.holds]
        assert [said[key] for key in written.solution.node_keys] == expected, written.solution.text


def test_every_kind_of_corruption_occurs() -> None:
    """Over some problems each kind finds a step, and no kind is rare."""
    counts = Counter(written.corruption for written in logic_solutions(100, seed=5, dials=DIALS, corrupted=7))
    assert counts[None] == 100
    assert min(counts[kind] for kind in Corruption) > 20


def test_first_error_is_where_the_truth_says() -> None:
    """A clean solution has none; a corrupted one has one, and the gold record says so, too."""
    for written in logic_solutions(30, seed=1, corrupted=2):
        gold = written.gold_steps()
        assert written.holds.count(False) == (0 if written.corruption is None else 1)
        assert gold.first_error == written.first_error
        assert (written.first_error == NO_ERROR) is (written.corruption is None)
        assert len(gold.steps) == len(written.holds) == len(written.solution.steps)
        assert gold.final_answer_correct is (written.corruption is not Corruption.WRONG_ANSWER)


def test_problems_and_solutions_go_together() -> None:
    """Both streams hold the same problems, with ids of their own, and the reference is the clean proof."""
    problems = list(logic_problems(40, seed=2))
    written = list(logic_solutions(40, seed=2, corrupted=1))
    clean = [one for one in written if one.corruption is None]
    assert [one.problem for one in clean] == problems
    assert [one.solution.text for one in clean] == [problem.reference_solution for problem in problems]
    assert len({problem.id for problem in problems}) == 40
    assert len({one.solution.id for one in written}) == len(written)
    assert {problem.domain for problem in problems} == {"logic"}


def test_streams_repeat_and_grow() -> None:
    """Equal arguments give equal records; a longer stream begins like a shorter one; other dials are other problems."""
    short, long = list(logic_solutions(5, seed=9)), list(logic_solutions(8, seed=9))
    assert long[: len(short)] == short
    (other,) = logic_problems(1, seed=9, dials=LogicDials(steps=(1, 1)))
    assert other.id != short[0].problem.id


def test_fewer_corruptions_than_kinds() -> None:
    """No more corrupted solutions come than asked for, each of another kind."""
    written = list(logic_solutions(20, seed=4, corrupted=3))
    per_problem: dict[str, list[Corruption]] = {}
    for one in written:
        per_problem.setdefault(one.problem.id, []).extend([one.corruption] if one.corruption else [])
    assert all(len(set(kinds)) == len(kinds) <= 3 for kinds in per_problem.values())


def test_the_answer_checker_reads_the_final_answer() -> None:
    """Where the stated answer is PROVED or DISPROVED the outcome is what the truth says."""
    checker = AnswerChecker(use_worker=False)
    for written in logic_solutions(40, seed=6, corrupted=2):
        gold = written.problem.gold
        assert gold is not None
        checked = checker.check(written.solution.text, gold)
        if written.solution.final_answer == "UNKNOWN":
            assert checked.outcome is not (Outcome.WRONG if written.holds[-1] else Outcome.CORRECT)
        else:
            assert (checked.outcome is Outcome.CORRECT) is written.holds[-1]
