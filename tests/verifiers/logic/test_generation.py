"""Generated problems: their truth is certain, and the dials do what they say."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import ConfigError
from steplabel.verifiers.logic import Entailment, FirstToAnswer, LogicDials, ProofLabel, Status, Surface, TableProver
from steplabel.verifiers.logic.corruption import conclusion_of
from steplabel.verifiers.logic.formulas import ForAll, negated, predicates, propositions
from steplabel.verifiers.logic.generation import GeneratedLogic, generate
from steplabel.verifiers.logic.proofs import read_step, read_task, write_step, write_task
from steplabel.verifiers.logic.provers import Z3Prover
from steplabel.verifiers.logic.rules import RULES
from steplabel.verifiers.logic.semantics import is_true

PROVER = FirstToAnswer(provers=(TableProver(), Z3Prover()))
SEEDS = st.integers(0, 10**6)


def made(count: int, **dials: object) -> list[GeneratedLogic]:
    return [generate(seed=3, number=number, dials=LogicDials(**dials)) for number in range(count)]  # type: ignore[arg-type]


def entailments(problem: GeneratedLogic) -> list[Entailment]:
    """What each step claims."""
    known = dict(problem.task.facts)
    found = []
    for step in problem.steps:
        conclusion = conclusion_of(step, problem)
        found.append(Entailment(tuple(known[name] for name in step.cites), conclusion))
        known[step.target] = conclusion
    return found


@settings(max_examples=60)
@given(seed=SEEDS)
def test_every_step_follows_from_what_it_cites(seed: int) -> None:
    """A clean proof holds in every step, by provers that know nothing of how it was made."""
    problem = generate(seed=seed, number=0, dials=LogicDials())
    answers = PROVER.prove_all(entailments(problem))
    assert {answer.status for answer in answers} == {Status.PROVED}


@settings(max_examples=60)
@given(seed=SEEDS)
def test_worlds_witness_the_label(seed: int) -> None:
    """All facts are true in each world; in the two worlds of an unknown hypothesis it is true once and false once."""
    problem = generate(seed=seed, number=0, dials=LogicDials(unknown=0.5))
    hypothesis = problem.task.hypothesis
    assert hypothesis is not None
    assert all(is_true(fact, world) for world in problem.worlds for fact in problem.task.facts.values())
    values = sorted(is_true(hypothesis, world) for world in problem.worlds)
    expected = {ProofLabel.PROVED: [True], ProofLabel.DISPROVED: [False], ProofLabel.UNKNOWN: [False, True]}
    assert values == expected[problem.label]


def test_labels_are_what_the_facts_say() -> None:
    """Z3, from all facts at once, gives each problem the label it was made with."""
    for problem in made(60, steps=(1, 4), distractors=(0, 4)):
        facts, hypothesis = tuple(problem.task.facts.values()), problem.task.hypothesis
        assert hypothesis is not None
        asked = [Entailment(facts, hypothesis), Entailment(facts, negated(hypothesis))]
        proved, disproved = (answer.status for answer in PROVER.prove_all(asked))
        said = {
            (Status.PROVED, Status.REFUTED): ProofLabel.PROVED,
            (Status.REFUTED, Status.PROVED): ProofLabel.DISPROVED,
            (Status.REFUTED, Status.REFUTED): ProofLabel.UNKNOWN,
        }
        assert said[proved, disproved] is problem.label


@pytest.mark.parametrize("surface", Surface)
def test_text_round_trip(surface: Surface) -> None:
    """What is written on any surface is read back as it was generated."""
    for problem in made(40, surfaces=(surface,)):
        assert problem.surface is surface
        assert read_task(write_task(problem.task, surface)) == problem.task
        assert tuple(read_step(write_step(step, surface)) for step in problem.steps) == problem.steps


def test_all_rules_are_used() -> None:
    """Every rule of the table makes steps; the repetition of a fact is rare."""
    rules = [rule for problem in made(500) for rule in problem.rules]
    assert set(RULES) <= set(rules)
    assert rules.count("repetition") < 0.02 * len(rules)


def test_a_problem_depends_on_its_number_alone() -> None:
    """Problems are the same whatever was generated before, and differ from one another."""
    dials = LogicDials()
    alone = generate(seed=3, number=7, dials=dials)
    assert alone == made(8)[7]
    assert alone != generate(seed=4, number=7, dials=dials)
    assert len({str(problem.task) for problem in made(200)}) > 195


def test_dials_of_size() -> None:
    """Steps, distractors, things and symbols stay within what is asked."""
    for problem in made(60, steps=(2, 3), distractors=(5, 5), things=(2, 2), symbols=10, unknown=0.0):
        formulas = list(problem.task.facts.values())
        assert 1 <= len(problem.steps) <= 3
        assert len(problem.worlds[0].constants) in (0, 2)
        assert len({*predicates(formulas), *propositions(formulas)}) <= 10
        assert len(formulas) >= 2
    longer = made(60, steps=(6, 6))
    assert sum(len(problem.steps) for problem in longer) / 60 > 4


def test_dials_of_kind() -> None:
    """Shares of 0 and 1 are kept to: no quantifiers in propositional problems, one label where one is asked for."""
    propositional = made(40, first_order=0.0, unknown=0.0, disproved=1.0)
    assert all(not predicates(problem.task.facts.values()) for problem in propositional)
    assert {problem.label for problem in propositional} == {ProofLabel.DISPROVED}
    assert {problem.label for problem in made(40, unknown=1.0, disproved=0.0)} == {ProofLabel.UNKNOWN}
    plain, rich = (made(80, first_order=1.0, quantified=share, distractors=(0, 0)) for share in (0.0, 1.0))
    counts = [sum(isinstance(fact, ForAll) for p in some for fact in p.task.facts.values()) for some in (plain, rich)]
    assert counts[1] > counts[0]


@pytest.mark.parametrize(
    "dials",
    [
        {"steps": (0, 2)},
        {"steps": (3, 2)},
        {"distractors": (-1, 2)},
        {"things": (0, 1)},
        {"things": (1, 99)},
        {"symbols": 3},
        {"symbols": 999},
        {"first_order": 1.5},
        {"reuse": -0.1},
        {"unknown": 0.7, "disproved": 0.7},
        {"surfaces": ()},
    ],
    ids=str,
)
def test_impossible_dials_are_refused(dials: dict[str, object]) -> None:
    """The error comes before the first problem."""
    with pytest.raises(ConfigError):
        LogicDials(**dials)  # type: ignore[arg-type]


def test_streams_can_be_taken_in_part() -> None:
    """Nothing is computed ahead."""
    endless = (generate(seed=0, number=number, dials=LogicDials()) for number in range(10**9))
    assert len(list(islice(endless, 3))) == 3
