"""Problems and proofs as text: FoVer's forms and our sentences, read within bounds."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.verifiers.logic.formulas import And, Atom, Not
from steplabel.verifiers.logic.notation import read_formula
from steplabel.verifiers.logic.proofs import (
    HYPOTHESIS,
    NOT_HYPOTHESIS,
    LogicTask,
    ProofLabel,
    ProofStep,
    Surface,
    Unread,
    read_answer,
    read_step,
    read_task,
    write_answer,
    write_step,
    write_task,
)

A, B = Atom("A"), Atom("B")

PROBLEM = """Based on the facts ($context$), prove or disprove the hypothesis. Letters such as "{A}" are predicates.

$hypothesis$: ¬{A}

$context$:
fact1: {IN}
fact2: ¬{B} -> ({A} & {FH})
fact10: (x): {A}x -> {B}x
fact11: {A} & {B} v {C}"""


def test_a_problem_in_fovers_form() -> None:
    """Hypothesis and facts are found by their names; a fact that cannot be read is known to be missing."""
    task = read_task(PROBLEM)
    assert task.hypothesis == Not(A)
    assert list(task.facts) == ["fact1", "fact2", "fact10"]
    assert task.facts["fact10"] == read_formula("(x): {A}x -> {B}x")
    assert task.unread == {"fact11"}


@pytest.mark.parametrize(
    ("text", "hypothesis"),
    [
        ("hypothesis: {A}", A),
        ("  Hypothesis: {A};  ", A),
        ("$hypothesis$: {A}\n$hypothesis$: {A}", A),
        ("$hypothesis$: {A}\n$hypothesis$: {B}", None),
        ("$hypothesis$: A", None),
        ("the hypothesis: {A}", None),
        ("", None),
    ],
    ids=["plain", "blanks", "said twice", "two", "unreadable", "prose", "empty"],
)
def test_hypotheses(text: str, hypothesis: Atom | None) -> None:
    """One hypothesis is read; two different ones, or one that cannot be read, are none."""
    assert read_task(text).hypothesis == hypothesis


def test_a_fact_that_stands_twice_and_differs_is_none() -> None:
    """Which one a step cites could not be told; equal ones are one."""
    task = read_task("fact1: {A}\nfact1: {B}\nfact2: {A}\nFACT2: {A}")
    assert dict(task.facts) == {"fact2": A}
    assert task.unread == {"fact1"}


STEPS: dict[str, tuple[str, ProofStep]] = {
    "FoVer": (
        "fact11 -> int1: {B} & ¬{A}",
        ProofStep(cites=("fact11",), target="int1", conclusion=And((B, Not(A)))),
    ),
    "two cited": (
        "fact1 & int12 -> int13: {A};",
        ProofStep(cites=("fact1", "int12"), target="int13", conclusion=A),
    ),
    "commas": (
        "fact1, fact2, and int1 -> int2: {A}",
        ProofStep(cites=("fact1", "fact2", "int1"), target="int2", conclusion=A),
    ),
    "cited twice": ("fact1 & fact1 -> int2: {A}", ProofStep(cites=("fact1",), target="int2", conclusion=A)),
    "arrow within": (
        "fact2 -> int2: {A} -> {B}",
        ProofStep(cites=("fact2",), target="int2", conclusion=read_formula("{A} -> {B}")),
    ),
    "hypothesis": ("int4 -> hypothesis;", ProofStep(cites=("int4",), target=HYPOTHESIS)),
    "not hypothesis": ("int4 -> ¬hypothesis", ProofStep(cites=("int4",), target=NOT_HYPOTHESIS)),
    "hypothesis said": ("int4 -> hypothesis: {A}", ProofStep(cites=("int4",), target=HYPOTHESIS, conclusion=A)),
    "sentence": (
        "From fact1 and int2 follows int3: rain happens.",
        ProofStep(cites=("fact1", "int2"), target="int3", conclusion=Atom("rain")),
    ),
    "sentence to the hypothesis": ("From int2 follows the hypothesis.", ProofStep(cites=("int2",), target=HYPOTHESIS)),
    "assumption": ("void -> int1: {A}", ProofStep(cites=("void",), target="int1", conclusion=A)),
}


@pytest.mark.parametrize(("line", "step"), STEPS.values(), ids=STEPS)
def test_steps(line: str, step: ProofStep) -> None:
    """Each form of a step is read, with or without blanks around it."""
    assert read_step(line) == step
    assert read_step(f"  {line}  ") == step


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("fact1 -> {A}", ""),
        ("fact1 -> int1: {A", "int1"),
        ("fact1 -> int1: A is B or so", "int1"),
        ("fact1 -> assump1: {A}", ""),
        ("fact1 or fact2 -> int1: {A}", "int1"),
        ("fact1 -> int1:", ""),
        ("hypothesis -> fact1: {A}", ""),
    ],
    ids=str,
)
def test_lines_that_look_like_steps_say_why_they_are_none(line: str, target: str) -> None:
    """A step that cannot be read is told apart from no step, and names its target if it has one."""
    read = read_step(line)
    assert isinstance(read, Unread)
    assert (read.target, bool(read.why)) == (target, True)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Let us see.",
        "fact1: {A} -> {B}",
        "We know {A} -> {B}",
        "$proof$:",
        "From here follows little",
        "x -> y",
        "a" * 5_000,
    ],
    ids=lambda text: text[:20] or "empty",
)
def test_other_lines_are_no_steps(line: str) -> None:
    """Prose, and facts said again, assert no step."""
    assert read_step(line) is None


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("The final answer is PROVED", ProofLabel.PROVED),
        ("The final answer is **DISPROVED**.", ProofLabel.DISPROVED),
        ("$proof_label$: UNKNOWN", ProofLabel.UNKNOWN),
        ("**Therefore, the final answer is: __PROVED__.**", ProofLabel.PROVED),
        ("  Final answer is PROVED ", ProofLabel.PROVED),
        ("We cannot say that the final answer is PROVED.", None),
        ("Suppose the final answer is UNKNOWN; that is false.", None),
        ("The final answer is PROVED? No.", None),
        ("The final answer is PROVEN", None),
        ("The final answer is proved", None),
        ("It is PROVED", None),
        ("The final answer is PROVED, or the final answer is UNKNOWN", None),
    ],
    ids=str,
)
def test_answers(line: str, answer: ProofLabel | None) -> None:
    """One of the three labels after the words that announce it, and nothing else in the line."""
    assert read_answer(line) is answer


@pytest.mark.parametrize("surface", Surface)
def test_round_trips(surface: Surface) -> None:
    """What is written is read back, on each surface."""
    task = LogicTask(
        hypothesis=read_formula("¬{tall}{anna}"),
        facts={f"fact{n}": read_formula(text) for n, text in enumerate(["{rain}", "(x): {tall}x -> {calm}x"], start=1)},
    )
    assert read_task(write_task(task, surface)) == task
    for step in (ProofStep(cites=("fact1", "int2"), target="int3", conclusion=task.hypothesis), STEPS["hypothesis"][1]):
        assert read_step(write_step(step, surface)) == step
    for label in ProofLabel:
        assert read_answer(write_answer(label)) is label
    with pytest.raises(ValueError, match="without a hypothesis"):
        write_task(LogicTask(hypothesis=None), surface)


@given(st.text("factin0123456789 &,->:{}AB¬hypotesFrmlw;.", max_size=80))
def test_any_text_is_read_without_a_word(text: str) -> None:
    """Nothing raises, whatever the text."""
    read_step(text)
    read_answer(text)
    read_task(text)


@pytest.mark.parametrize(
    "wrap", ["{}", "fact1 -> int1: {}", "fact1: {}", "From {} follows int1: x", "$hypothesis$: {}"]
)
def test_hostile(hostile: str, wrap: str) -> None:
    """No hostile text is a step, a fact or an answer, and none takes a second."""
    text = wrap.format(hostile)
    started = time.process_time()
    assert not isinstance(read_step(text), ProofStep)
    assert read_answer(text) is None
    task = read_task(text)
    assert (dict(task.facts), task.hypothesis) == ({}, None)
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize("filler", [" ", "&", ";", "fact1 & ", "fact1, and ", "-> ", "int1: "], ids=repr)
def test_long_runs_of_one_thing(filler: str) -> None:
    """A line within the bounds cannot make the patterns go back and forth."""
    text = ("fact1" + filler * 3_990)[:3_990] + "x"
    started = time.process_time()
    for line in (text, f"From {text[:3900]}", f"fact1 -> int1: {text[:3900]}", f"fact1: {text[:3900]}"):
        read_step(line)
        read_task(line)
        read_answer(f"Final answer is {line[:3900]}")
    assert time.process_time() - started < 1.0


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        (PROBLEM.removesuffix("fact11: {A} & {B} v {C}"), True),
        (PROBLEM, False),
        ("hypothesis: {B}\nfact1: {A}\nsent2: {A} -> {B}", True),
        ("hypothesis: {B}\n**Facts:**\n\nfact1: {A}\n$proof$:", True),
        ("fact1: {A}\nhypothesis: {B}", True),
        ("hypothesis: {B}", False),
        ("", False),
        ("hypothesis: {B}\nfact1: {A}\nfact 2: {A} -> {B}", False),
        ("hypothesis: {B}\nfact1: {A}\npremise 1: {B}", False),
        ("hypothesis: {B}\nfact1: {A}\n- fact2: {B}", False),
        ("hypothesis: {B}\nfact1: {A} fact2: {B}", False),
        ("hypothesis: {B}\n$context$: fact1: {B}\nfact2: {A}", False),
        ("hypothesis: {B}\nfact1: {A}\nAlso {B}.", False),
        ("fact 1: {B}\nhypothesis: {B}\nfact2: {A}", False),
        ("- 1. {B}\nhypothesis: {B}\nfact2: {A}", False),
        ("fact1: {A}\nAlso {B}.\nhypothesis: {B}", False),
        ("hypothesis: {B}\nfact1: {A}\nfact2: " + "{B} & " * 1_000 + "{B}", False),
        ("hypothesis: {B}\nfact1: {A}" + "\n" * 1_000 + "fact2: {B}", False),
    ],
    ids=lambda value: str(value)[-40:],
)
def test_whether_all_facts_were_read(text: str, complete: bool) -> None:
    """A line that may be a fact and was not read makes the facts incomplete; so do bounds, and no facts at all."""
    assert read_task(text).complete is complete
