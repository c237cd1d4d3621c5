"""The verifier of proofs: each step by what it cites; unknown wherever it cannot be sure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import (
    AnswerType,
    GoldAnswer,
    NewlineSteps,
    Observation,
    Problem,
    Reason,
    Step,
    StepKind,
    Verdict,
    make_solution,
)
from steplabel.schemas.layouts import fover
from steplabel.verifiers import Verifier, observe
from steplabel.verifiers.logic import Entailment, LogicVerifier, Proved, TableProver
from steplabel.verifiers.logic.provers import INCONSISTENT
from steplabel.verifiers.port import BatchVerifier

HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
FACTS = ["{A} -> {B}", "{A}", "¬{C} v {D}", "{D", "{E}", "¬{E}"]

CASES: dict[str, tuple[list[str], list[Verdict]]] = {
    "modus ponens": (["fact1 & fact2 -> int1: {B}"], [HOLDS]),
    "a premise is missing": (["fact1 -> int1: {B}"], [FAILS]),
    "true, but not of what it cites": (["fact3 -> int1: {B}"], [FAILS]),
    "on a wrong step": (["fact1 -> int1: {C}", "int1 & fact3 -> int2: {D}"], [FAILS, HOLDS]),
    "unreadable conclusion": (["fact1 -> int1: {A} & {B} v {C}"], [UNKNOWN]),
    "on an unreadable step": (["fact1 -> int1: {A", "int1 -> int2: {A}"], [UNKNOWN, UNKNOWN]),
    "an unreadable fact": (["fact4 -> int1: {D}"], [UNKNOWN]),
    "no such fact": (["fact9 -> int1: {D}"], [UNKNOWN]),
    "not yet there": (["int2 -> int1: {A}", "fact2 -> int2: {A}"], [UNKNOWN, HOLDS]),
    "itself": (["int1 -> int1: {A}"], [UNKNOWN]),
    "defined twice": (["fact2 -> int1: {A}", "fact5 -> int1: {E}", "int1 -> int2: {A}"], [HOLDS, HOLDS, UNKNOWN]),
    "said twice alike": (["fact2 -> int1: {A}", "fact2 -> int1: {A}", "int1 -> int2: {A}"], [HOLDS, HOLDS, HOLDS]),
    "the hypothesis as a premise": (["hypothesis -> int1: {B}"], [UNKNOWN]),
    "an assumption": (["void -> int1: {A}"], [UNKNOWN]),
    "contradictory premises": (["fact5 & fact6 -> int1: {A}"], [UNKNOWN]),
    "hypothesis": (["fact1 & fact2 -> hypothesis"], [HOLDS]),
    "not hypothesis": (["fact1 & fact2 -> ¬hypothesis"], [FAILS]),
    "hypothesis and its formula": (["fact1 & fact2 -> hypothesis: {B}"], [HOLDS]),
    "hypothesis and another formula": (["fact1 & fact2 -> hypothesis: {A}"], [UNKNOWN]),
    "prose": (["Let us see what follows.", "fact1: {A} -> {B}"], []),
}


@pytest.mark.parametrize(("lines", "expected"), CASES.values(), ids=CASES)
def test_steps(verdicts: Callable[..., list[Verdict]], lines: list[str], expected: list[Verdict]) -> None:
    """Each kind of step gets its verdict; lines that are no steps get none."""
    assert verdicts(FACTS, "{B}", *lines) == expected


def test_the_countermodel_is_the_evidence(observed: Callable[..., list[Observation]]) -> None:
    """A step that fails shows where what it cites is true and its conclusion false."""
    (step,) = observed(["(x): {A}x -> {B}x", "{B}{a}"], "{A}{a}", "fact1 & fact2 -> hypothesis")
    (statement,) = json.loads(step.evidence)
    assert statement["claim"] == "fact1 & fact2 -> hypothesis"
    assert statement["reason"] == step.reason == "not_entailed"
    assert statement["evidence"] == "countermodel: 1 thing; a = 0; A: {}; B: {0}; true: no proposition"


def test_reasons(observed: Callable[..., list[Observation]]) -> None:
    """Unknown steps say what stood in the way."""
    lines = ["fact1 -> int1: {A", "int7 -> int2: {A}", "fact5 & fact6 -> int3: {A}", "int1 -> int4: {A}"]
    reasons = [step.reason for step in observed(FACTS, "{B}", *lines)]
    assert reasons[0].startswith(Reason.UNPARSABLE)
    assert reasons[1] == "unsupported: cites int7, but it does not stand before this step"
    assert reasons[2] == INCONSISTENT
    assert reasons[3] == "unsupported: cites int1, but it cannot be read"


def _answered(facts: list[str], gold: str | None, answer: str, hypothesis: str = "{B}") -> Observation:
    text = f"hypothesis: {hypothesis}\n" + "\n".join(f"fact{n}: {fact}" for n, fact in enumerate(facts, start=1))
    answer_type = GoldAnswer(text=gold, type=AnswerType.TEXT) if gold else None
    problem = Problem(id="p", text=text, gold=answer_type)
    solution = make_solution(problem, (Step(text=f"The final answer is {answer}"),))
    (observation,) = observe(LogicVerifier(), problem, solution)
    return observation


@pytest.mark.parametrize("gold", ["PROVED", "DISPROVED", "UNKNOWN"])
@pytest.mark.parametrize("answer", ["PROVED", "DISPROVED", "UNKNOWN"])
def test_the_answer_is_compared_with_the_gold_label(gold: str, answer: str) -> None:
    """The gold label rules, whatever the facts say."""
    observation = _answered(["{A}"], gold, answer)
    assert observation.verdict is (HOLDS if gold == answer else FAILS)
    assert observation.reason == "gold"


@pytest.mark.parametrize(
    ("facts", "right"),
    [(["{A}", "{A} -> {B}"], "PROVED"), (["¬{B}"], "DISPROVED"), (["{B} -> {A}"], "UNKNOWN")],
    ids=["proved", "disproved", "unknown"],
)
def test_without_a_gold_label_the_facts_tell(facts: list[str], right: str) -> None:
    """What the facts entail is exact, so exactly one answer holds."""
    for answer in ("PROVED", "DISPROVED", "UNKNOWN"):
        assert _answered(facts, None, answer).verdict is (HOLDS if answer == right else FAILS)


@pytest.mark.parametrize(
    ("facts", "hypothesis"),
    [(["{A}", "{A"], "{A}"), (["{A}"], "{A"), (["{A}", "¬{A}"], "{B}")],
    ids=["unread fact", "unread hypothesis", "contradiction"],
)
def test_nothing_is_said_of_answers_to_problems_that_cannot_be_read(facts: list[str], hypothesis: str) -> None:
    """A fact that is missing might decide; contradictory facts decide anything."""
    for answer in ("PROVED", "DISPROVED", "UNKNOWN"):
        assert _answered(facts, None, answer, hypothesis).verdict is UNKNOWN


def test_what_tools_wrote_is_known_and_not_judged() -> None:
    """A step that carries no label makes no claim, and later steps may cite it."""
    problem = Problem(id="p", text="hypothesis: {A}\nfact1: {B}")
    steps = (
        Step(text="fact1 -> int1: {A}\n", kind=StepKind.OBSERVATION),
        Step(text="int1 -> hypothesis"),
    )
    solution = make_solution(problem, steps)
    (observation,) = observe(LogicVerifier(), problem, solution)
    assert (observation.subject, observation.verdict) == (solution.node_keys[1], HOLDS)


def test_several_lines_in_one_step_speak_together() -> None:
    """A step of several lines fails if one of them does."""
    problem = Problem(id="p", text="hypothesis: {A}\nfact1: {B}")
    solution = make_solution(problem, (Step(text="fact1 -> int1: {B}\nint1 -> int2: {A}"),))
    (observation,) = observe(LogicVerifier(), problem, solution)
    assert observation.verdict is FAILS


def test_it_is_a_verifier_whose_version_tells_its_options_apart() -> None:
    """Other provers may decide otherwise, so they are another version."""
    verifier = LogicVerifier()
    assert isinstance(verifier, Verifier)
    assert verifier.version == LogicVerifier().version != LogicVerifier(prover=TableProver()).version


@settings(max_examples=60)
@given(
    st.lists(st.text("factin012 &->:{}ABax()E¬vhyposet\n", max_size=60), max_size=4),
    st.text("{}ABax¬v->\n", max_size=40),
)
def test_any_text_is_survived(lines: list[str], fact: str) -> None:
    """Whatever problem and solution say, nothing is raised."""
    problem = Problem(id="p", text=f"hypothesis: {fact}\nfact1: {fact}\nfact0: {{A}}{{a}}")
    solution = make_solution(problem, (Step(text="\n".join(["fact0 -> int0: {A}{a}", *lines])),))
    observe(LogicVerifier(prover=TableProver()), problem, solution)


@pytest.mark.parametrize("wrap", ["{}", "fact1 & fact2 -> int1: {}", "{} -> int1: {{A}}", "The final answer is {}"])
def test_hostile(hostile: str, wrap: str) -> None:
    """No hostile text holds or fails, and none takes a second."""
    text = wrap.format(hostile)
    if "\x00" in hostile or "\ud800" in hostile:
        pytest.skip("refused by Step itself")
    problem = Problem(id="p", text=f"hypothesis: {{A}}\nfact1: {{A}}\nfact2: {hostile[:5_000]}")
    solution = make_solution(problem, (Step(text=text),))
    started = time.process_time()
    assert all(o.verdict is UNKNOWN for o in observe(LogicVerifier(), problem, solution))
    assert time.process_time() - started < 1.0


def test_fovers_own_example() -> None:
    """The row of its README: the first step is wrong, the second follows from it. Of its facts the rest is silent."""
    facts = "fact4: ¬{B} -> ({A} & {FH})\nfact11: {C} -> ({B} & ¬{A})\nfact15: ¬{E} -> ({C} & {D})"
    problem = Problem(id="p", text=f"$hypothesis$: ¬{{A}}\n\n$context$:\n{facts}")
    text = "fact11 -> int1: {B} & ¬{A}\nint1 -> int2: ¬{A}"
    solution = make_solution(problem, NewlineSteps().split(text))
    assert [o.verdict for o in observe(LogicVerifier(), problem, solution)] == [FAILS, HOLDS]


@pytest.mark.data
def test_informal_rows_are_left_alone(data_dir: Path) -> None:
    """FoVer's rows about word problems hold no proof steps, so nothing is said of them."""
    for number, line in enumerate((data_dir / "fover" / "test.jsonl").read_text("utf-8").splitlines()):
        evidence = fover.evidence_of(fover.read_marked(json.loads(line), line=str(number)))
        assert observe(LogicVerifier(), evidence.problem, evidence.solutions[0]) == ()


@pytest.mark.parametrize("line", ["fact 2: {A} -> {B}", "premise 1: {A} -> {B}", "- fact2: {A} -> {B}", "Also {B}."])
@pytest.mark.parametrize("answer", ["PROVED", "DISPROVED", "UNKNOWN"])
def test_a_fact_in_another_form_may_decide(line: str, answer: str) -> None:
    """Where a line of the problem was not read, nobody knows what all facts entail."""
    problem = Problem(id="p", text=f"hypothesis: {{B}}\nfact1: {{A}}\n{line}")
    solution = make_solution(problem, (Step(text=f"The final answer is {answer}"),))
    (observation,) = observe(LogicVerifier(), problem, solution)
    assert (observation.verdict, observation.reason.split(":")[0]) == (UNKNOWN, Reason.NO_GOLD)


def test_facts_that_are_called_sentences_are_read() -> None:
    """FLD calls facts `sent1` as well."""
    problem = Problem(id="p", text="hypothesis: {B}\nsent1: {A}\nsent2: {A} -> {B}")
    solution = make_solution(problem, NewlineSteps().split("sent1 & sent2 -> hypothesis\nThe final answer is PROVED"))
    assert [o.verdict for o in observe(LogicVerifier(), problem, solution)] == [HOLDS, HOLDS]


@pytest.mark.parametrize(
    ("fact", "conclusion"),
    [("Ida is tall", "ida is tall"), ("ida is Tall", "ida is tall"), ("Rain happens", "rain happens")],
)
def test_names_that_differ_by_case_only_may_be_one(
    observed: Callable[..., list[Observation]], fact: str, conclusion: str
) -> None:
    """Neither a step nor an answer is judged by them; a predicate and a constant may share a letter."""
    step, answer = observed([fact], conclusion, "fact1 -> hypothesis", "The final answer is UNKNOWN")
    assert step.reason == answer.reason == f"{Reason.UNPARSABLE}: names that differ by case only"
    (fine,) = observed(["{A}{a}"], "{A}{a}", "fact1 -> hypothesis")
    assert fine.verdict is HOLDS


@pytest.mark.parametrize(
    ("fact", "conclusion"),
    [
        ("rain happens", "rain is heavy"),
        ("ben is tall", "anna is ben"),
        ("{rain}", "{heavy}{rain}"),
        ("{tall}{ben}", "{ben}{anna}"),
    ],
)
def test_a_thing_with_the_name_of_something_else_is_not_judged(
    observed: Callable[..., list[Observation]], fact: str, conclusion: str
) -> None:
    """ "Rain is heavy" beside "rain happens" may mean that it rains heavily: nobody knows what follows."""
    step, answer = observed([fact], conclusion, "fact1 -> hypothesis", "The final answer is UNKNOWN")
    assert (step.verdict, answer.verdict) == (UNKNOWN, UNKNOWN)
    assert step.reason == answer.reason == f"{Reason.UNPARSABLE}: a thing has the name of a predicate or proposition"


def test_english_beyond_the_grammar_never_fails(observed: Callable[..., list[Observation]]) -> None:
    """Right steps in words that the grammar has not are unknown, in capitals too: none is read as said of one thing."""
    facts = ["everything is calm", "everything that is calm is tall"]
    said = ["Everything is tall", "everyone is tall", "Nothing is not calm", "It is calm", "ben is calm, too"]
    lines = [f"From fact1 and fact2 follows int{n}: {words}." for n, words in enumerate(said, start=1)]
    assert {step.verdict for step in observed(facts, "ben is tall", *lines)} == {UNKNOWN}


@dataclass(frozen=True)
class Counting:
    """Truth tables that remember how many questions came at once."""

    asked: list[int]

    def prove_all(self, questions: Sequence[Entailment]) -> tuple[Proved, ...]:
        """As `Prover.prove_all`."""
        self.asked.append(len(questions))
        return TableProver().prove_all(questions)


def test_the_prover_is_asked_once_for_all_claims(observed: Callable[..., list[Observation]]) -> None:
    """Steps and the answer go in one batch, equal questions once; findings are those of one claim at a time."""
    asked: list[int] = []
    verifier = LogicVerifier(prover=Counting(asked))
    assert isinstance(verifier, BatchVerifier)
    lines = ["fact1 & fact2 -> hypothesis", "fact1 -> int1: {B}", "fact9 -> int2: {B}", "The final answer is PROVED"]
    found = observed(["{A} -> {B}", "{A}"], "{B}", *lines, verifier=verifier)
    assert [step.verdict for step in found] == [HOLDS, FAILS, UNKNOWN, HOLDS]
    assert asked == [3]
    problem = Problem(id="p", text="hypothesis: {B}\nfact1: {A} -> {B}\nfact2: {A}")
    claims = list(verifier.claims(problem, make_solution(problem, NewlineSteps().split("\n".join(lines)))))
    assert list(verifier.verify_all(claims)) == [verifier.verify(claim) for claim in claims]
    assert verifier.verify_all([]) == []
