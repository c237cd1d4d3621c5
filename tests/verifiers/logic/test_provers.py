"""The contract for provers: three keep it, and a fourth that lies is found out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.schemas import ConfigError, MissingExtra, Reason
from steplabel.verifiers.logic import (
    Cvc5Prover,
    Entailment,
    FirstToAnswer,
    Proved,
    Prover,
    Status,
    TableProver,
    Z3Prover,
)
from steplabel.verifiers.logic.formulas import And, Atom, Formula, Not, Or
from steplabel.verifiers.logic.notation import read_formula
from steplabel.verifiers.logic.provers import INCONSISTENT, MAX_PREMISES, SolverProver, certified
from steplabel.verifiers.logic.semantics import Model, most_steps, refutes
from steplabel.verifiers.logic.wire import pack, pack_model, unpack, unpack_model

Ask = Callable[[Sequence[str], str], Entailment]

PROVERS: dict[str, Prover] = {"table": TableProver(), "z3": Z3Prover(), "cvc5": Cvc5Prover()}
SOLVERS = {name: PROVERS[name] for name in ("z3", "cvc5")}

CASES: dict[str, tuple[list[str], str, Status]] = {
    "instance": (["(x): {A}x -> {B}x", "{A}{a}"], "{B}{a}", Status.PROVED),
    "nothing given": ([], "{A} v ¬{A}", Status.PROVED),
    "converse": (["{A} -> {B}", "{B}"], "{A}", Status.REFUTED),
    "some is not all": (["(Ex): {A}x"], "(x): {A}x", Status.REFUTED),
    "two kinds of one name": (["{A}"], "{A}{a}", Status.REFUTED),
}
HARDER: dict[str, tuple[list[str], str, Status]] = {
    "alternation": (["(x): (Ey): ({A}x & {B}y)"], "(Ey): {B}y", Status.PROVED),
    "alternation open": (["(x): (Ey): ({A}x v {B}y)"], "{A}{a}", Status.REFUTED),
    "leibniz": (["{a} = {b}", "{A}{a}"], "{A}{b}", Status.PROVED),
    "one thing only": (["(x): (x = {a})", "{A}{a}"], "(x): {A}x", Status.PROVED),
    "two things at least": (["¬({a} = {b})", "{A}{a}", "{A}{b}"], "(x): {A}x", Status.REFUTED),
    "many symbols": ([f"{{P{n}}} -> {{P{n + 1}}}" for n in range(30)] + ["{P0}"], "{P30}", Status.PROVED),
}


@pytest.mark.parametrize(("premises", "conclusion", "status"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("prover", PROVERS.values(), ids=PROVERS)
def test_all_provers_agree(prover: Prover, ask: Ask, premises: list[str], conclusion: str, status: Status) -> None:
    """Each prover decides the simple questions, and a refutation brings a model that refutes."""
    question = ask(premises, conclusion)
    (answer,) = prover.prove_all([question])
    assert answer.status is status, answer
    assert isinstance(prover, Prover)
    if status is Status.REFUTED:
        assert answer.model is not None
        assert refutes(answer.model, question.premises, question.conclusion)


@pytest.mark.parametrize(("premises", "conclusion", "status"), HARDER.values(), ids=HARDER)
@pytest.mark.parametrize("prover", SOLVERS.values(), ids=SOLVERS)
def test_solvers_decide_what_tables_cannot(
    prover: Prover, ask: Ask, premises: list[str], conclusion: str, status: Status
) -> None:
    """Alternating quantifiers, equality and many symbols are the solvers' share."""
    question = ask(premises, conclusion)
    assert TableProver().prove_all([question])[0].reason == Reason.UNSUPPORTED
    assert prover.prove_all([question])[0].status is status


@pytest.mark.parametrize("prover", PROVERS.values(), ids=PROVERS)
def test_contradictory_premises_are_unknown(prover: Prover, ask: Ask) -> None:
    """From a contradiction all follows; nobody calls that proved."""
    (answer,) = prover.prove_all([ask(["(x): {A}x", "¬{A}{a}"], "{B}")])
    assert (answer.status, answer.reason) == (Status.UNKNOWN, INCONSISTENT)


@settings(max_examples=40)
@given(st.data())
def test_provers_never_contradict_one_another(
    closed_formulas: Callable[..., st.SearchStrategy[Formula]], data: st.DataObject
) -> None:
    """On any formulas, who decides decides alike."""
    strategy = closed_formulas(names="AB", things="ab")
    question = Entailment((data.draw(strategy), data.draw(strategy)), data.draw(strategy))
    answers = [prover.prove_all([question])[0] for prover in PROVERS.values()]
    decided = {(answer.status, answer.reason) for answer in answers if _decides(answer)}
    assert len(decided) <= 1, answers


def _decides(answer: Proved) -> bool:
    return answer.status is not Status.UNKNOWN or answer.reason == INCONSISTENT


def test_many_questions_keep_their_order(ask: Ask) -> None:
    """More questions than fit one batch come back one for one, with who answered and how to repeat it."""
    questions = [ask(["{A} -> {B}"], "{B} -> {A}" if n % 3 else "{A} -> {B}") for n in range(40)]
    answers = Z3Prover().prove_all(questions)
    assert [answer.status is Status.PROVED for answer in answers] == [n % 3 == 0 for n in range(40)]
    assert {(answer.prover, answer.budget) for answer in answers} == {("z3", "rlimit 200000")}
    assert all(answer.prover_version for answer in answers)


def test_a_spent_budget_is_unknown(ask: Ask) -> None:
    """A solver that may do next to nothing says so, and decides nothing."""
    chain = [f"({{P{n}}} v {{Q{n}}}) -> ({{P{n + 1}}} & {{Q{n + 1}}})" for n in range(20)]
    (answer,) = Z3Prover(rlimit=1).prove_all([ask([*chain, "{P0}"], "{Q20}")])
    assert answer.status is Status.UNKNOWN
    assert answer.reason.startswith(Reason.UNDECIDED)


def test_a_slow_worker_is_unknown_for_its_question_alone(ask: Ask) -> None:
    """A worker that is killed makes its question unknown; the question is asked alone before that is believed."""
    prover = Z3Prover(timeout_s=0.000001)
    answers = prover.prove_all([ask(["{A}"], "{A}"), ask(["{B}"], "{B}")])
    assert [(answer.status, answer.reason) for answer in answers] == [(Status.UNKNOWN, Reason.TIMEOUT)] * 2


def test_too_large_a_question_is_not_sent() -> None:
    """Questions past the bounds are unknown at once."""
    big = And(tuple(Atom(f"P{n}") for n in range(2_000)))
    many = (Atom("A"),) * (MAX_PREMISES + 1)
    answers = Z3Prover().prove_all([Entailment((big,), Atom("A")), Entailment(many, Atom("A"))])
    assert [answer.reason for answer in answers] == [f"{Reason.UNSUPPORTED}: too large"] * 2


class Absent(SolverProver):
    """A prover whose package is not here."""

    name: ClassVar[str] = "absent"
    package: ClassVar[str] = "steplabel-has-no-such-prover"
    task: ClassVar[str] = "nowhere:nothing"


def test_a_missing_prover_says_what_to_install(ask: Ask) -> None:
    """The error names the package and the extra."""
    with pytest.raises(MissingExtra, match=r"steplabel-has-no-such-prover.*steplabel\[dev\]"):
        Absent().prove_all([ask([], "{A}")])


@pytest.mark.parametrize("options", [{"rlimit": 0}, {"timeout_s": 0.0}, {"workers": 0}], ids=str)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    """A prover that could never answer is not built."""
    with pytest.raises(ConfigError):
        Z3Prover(**options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Liar:
    """Refutes everything, by the same model."""

    def prove_all(self, questions: Sequence[Entailment]) -> tuple[Proved, ...]:
        """As `Prover.prove_all`."""
        return tuple(
            certified(Proved(status=Status.REFUTED, model=Model(), prover="liar"), question) for question in questions
        )


def test_a_refutation_is_not_taken_on_trust(ask: Ask) -> None:
    """A countermodel that does not refute makes the answer unknown, and the next prover is asked."""
    questions = [ask(["{A}"], "{A}"), ask([], "{A}")]
    lies = Liar().prove_all(questions)
    assert [answer.status for answer in lies] == [Status.UNKNOWN, Status.REFUTED]
    answers = FirstToAnswer(provers=(Liar(), TableProver())).prove_all(questions)
    assert [(answer.status, answer.prover) for answer in answers] == [
        (Status.PROVED, "table"),
        (Status.REFUTED, "liar"),
    ]


@pytest.mark.parametrize("prover", [TableProver(), Z3Prover()], ids=["table", "z3"])
@pytest.mark.parametrize("quantifiers", [8, 19, 30])
def test_deep_quantifiers_do_not_hang_the_evaluation(prover: Prover, ask: Ask, quantifiers: int) -> None:
    """Evaluating 30 quantifiers over two things would take 2**30 steps in this process: it is unknown at once."""
    variables = [f"{letter}{number}" for letter in "xyzw" for number in range(9)][:quantifiers]
    nest = "".join(f"({variable}): " for variable in variables) + "({A}x0 v ¬{A}x1 v {A}x1)"
    started = time.process_time()
    (answer,) = prover.prove_all([ask([nest, "{A}{a}", "¬{A}{b}"], "{C}{a}")])
    assert time.process_time() - started < 2.0
    assert answer.status is (Status.REFUTED if quantifiers == 8 else Status.UNKNOWN)
    assert quantifiers == 8 or prover == TableProver() or answer.reason.split(":")[0] in (Reason.BUDGET, Reason.TIMEOUT)


@pytest.mark.parametrize(
    ("formula", "size", "steps"),
    [("{A} & ¬{B}", 5, 4), ("(x): {A}x", 5, 6), ("(x): (Ey): ({A}x v {B}y)", 2, 1 + 2 * (1 + 2 * 3))],
)
def test_steps_of_an_evaluation(formula: str, size: int, steps: int) -> None:
    """Each formula once, and what stands below a quantifier once for each thing."""
    assert most_steps(read_formula(formula), size) == steps


def test_only_open_questions_go_to_the_next_prover(ask: Ask) -> None:
    """Contradictory premises are an answer; what a table cannot hold goes on to Z3."""
    questions = [ask(["{A}", "¬{A}"], "{B}"), ask(["{a} = {b}"], "{b} = {a}"), ask(["{A}"], "{A}")]
    answers = FirstToAnswer(provers=(TableProver(), Z3Prover())).prove_all(questions)
    assert [answer.prover for answer in answers] == ["table", "z3", "table"]


@given(st.data())
def test_wire_round_trip(closed_formulas: Callable[..., st.SearchStrategy[Formula]], data: st.DataObject) -> None:
    """A formula arrives as it was sent."""
    formula = data.draw(closed_formulas())
    assert unpack(pack(formula)) == formula


def test_models_arrive_as_they_were_sent() -> None:
    """A model, too; and what is no formula is refused."""
    model = Model(size=2, constants={"a": 1}, predicates={"A": frozenset({0})}, propositions=frozenset({"P"}))
    assert unpack_model(pack_model(model)) == model
    assert model.shown() == "2 things; a = 1; A: {0}; true: P"
    with pytest.raises(ValueError, match="not a packed formula"):
        unpack(["xor", pack(Not(Atom("A")))])


@pytest.mark.parametrize("prover", [Z3Prover(rlimit=2_000), Cvc5Prover(rlimit=100)], ids=["z3", "cvc5"])
def test_nothing_is_proved_from_premises_whose_consistency_is_open(prover: Prover) -> None:
    """Eight pigeons in seven holes contradict each other; who cannot see that may not say what follows."""
    at = [[Atom(f"P{pigeon}{hole}") for hole in range(7)] for pigeon in range(8)]
    housed = And(tuple(Or(tuple(row)) for row in at))
    alone = And(tuple(Not(And(two)) for hole in zip(*at, strict=True) for two in combinations(hole, 2)))
    question = Entailment((housed, alone, Atom("A")), Atom("A"))
    (answer,) = prover.prove_all([question])
    assert answer.status is Status.UNKNOWN
    assert answer.reason.split(":")[0] == Reason.UNDECIDED
