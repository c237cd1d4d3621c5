"""What verifiers say, added to the evidence."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to

from steplabel.schemas import AnswerType, Evidence, GoldAnswer, Observation, Problem, Reason, Reject, Solution, Verdict
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.schemas.solution import make_solution
from steplabel.transforms.shards import REJECTS
from steplabel.transforms.verify import STAGE, Verify, verify_problem
from steplabel.verifiers import AnswerChecker, Claim, Finding

IN_PROCESS = PipelineOptions(["--runner=FnApiRunner"])
MakeEvidence = Callable[..., Evidence]


@dataclass(frozen=True)
class SaysEight:
    """A step that names a number claims that it is eight."""

    domains: frozenset[str] = frozenset()
    name: ClassVar[str] = "says_eight"
    version: ClassVar[str] = "1"

    def claims(self, problem: Problem, solution: Solution) -> Iterator[Claim[str]]:
        for step, key in zip(solution.steps, solution.node_keys, strict=True):
            if "=" in step.text:
                yield Claim(subject=key, body=step.text.split("=")[1].strip(), quote=step.text)

    def verify(self, claim: Claim[str]) -> Finding:
        return Finding(verdict=Verdict.HOLDS if claim.body == "8" else Verdict.FAILS)


@dataclass(frozen=True)
class Breaks(SaysEight):
    """Has a bug, in solutions of more than two steps."""

    name: ClassVar[str] = "breaks"

    def verify(self, claim: Claim[str]) -> Finding:
        if "boom" in claim.quote:
            raise ZeroDivisionError("a bug\0")
        return super().verify(claim)


@dataclass(frozen=True)
class Counts:
    """Grades a solution by how many there are."""

    breaks: bool = False
    name: ClassVar[str] = "counts"
    version: ClassVar[str] = "1"
    domains: ClassVar[frozenset[str]] = frozenset()

    def compare(self, problem: Problem, solutions: Sequence[Solution]) -> tuple[Observation, ...]:
        if self.breaks:
            raise KeyError("siblings")
        score = 1 / len(solutions)
        return tuple(Observation(subject=s.id, source=self.name, source_version="1", score=score) for s in solutions)


def with_second(evidence: Evidence, text: str) -> Evidence:
    second = make_solution(evidence.problem, NewlineSteps().split(text), policy="second")
    return replace(evidence, solutions=(*evidence.solutions, second))


def test_observations_are_added(evidence: MakeEvidence) -> None:
    """One for each step with a claim, keyed by its node and owned by the problem; all else stays."""
    given = evidence()
    said, rejects = verify_problem(given, (SaysEight(), Counts()))
    (solution,) = given.solutions
    steps = {o.subject: o.verdict for o in said.observations if o.source == "says_eight"}
    assert steps == dict(zip(solution.node_keys[:2], (Verdict.FAILS, Verdict.HOLDS), strict=True))
    assert [(o.subject, o.score) for o in said.observations if o.source == "counts"] == [(solution.id, 1.0)]
    assert {o.problem_id for o in said.observations} == {"p"}
    assert replace(said, observations=()) == given
    assert rejects == ()


def test_twice_is_once(evidence: MakeEvidence) -> None:
    """Evidence that already holds what a verifier says gains nothing, and keeps what others said."""
    other = Observation(subject="x", source="other", source_version="9", verdict=Verdict.HOLDS)
    once, _ = verify_problem(replace(evidence(), observations=(other,)), (SaysEight(),))
    assert verify_problem(once, (SaysEight(),)) == (once, ())
    assert other in once.observations


def test_no_verifier_changes_nothing(evidence: MakeEvidence) -> None:
    """The very record goes on."""
    given = evidence()
    assert verify_problem(given, ())[0] is given


def test_a_verifier_speaks_of_its_domains_alone(evidence: MakeEvidence) -> None:
    """One that names others is not asked."""
    given = evidence()
    assert verify_problem(given, (SaysEight(domains=frozenset({"tables"})),)) == (given, ())
    mine = replace(given, problem=replace(given.problem, domain="tables"))
    assert verify_problem(mine, (SaysEight(domains=frozenset({"tables"})),))[0].observations


def test_a_bug_costs_the_verifiers_own_word_alone(evidence: MakeEvidence) -> None:
    """The solution goes on without it, its sibling with it; the reject names verifier, version and error."""
    given = with_second(evidence(), "boom = 8\nso")
    said, rejects = verify_problem(given, (Breaks(), SaysEight(), Counts(breaks=True)))
    first, second = given.solutions
    assert {o.subject for o in said.observations if o.source == "breaks"} == set(first.node_keys[:2])
    assert second.node_keys[0] in {o.subject for o in said.observations if o.source == "says_eight"}
    assert [(r.record_id, r.kind, r.stage, r.reason) for r in rejects] == [
        (second.id, "solution", STAGE, Reason.CRASH),
        ("p", "problem", STAGE, Reason.CRASH),
    ]
    assert rejects[0].detail == "breaks v1 raised ZeroDivisionError: a bug\\x00"
    assert "counts v1 raised KeyError" in rejects[1].detail


@dataclass(frozen=True)
class Leaves(SaysEight):
    """Ends the process."""

    name: ClassVar[str] = "leaves"

    def verify(self, claim: Claim[str]) -> Finding:
        raise SystemExit(0)


@dataclass(frozen=True)
class Nameless(SaysEight):
    """Does not even know its name."""

    @property
    def name(self) -> str:  # type: ignore[override]
        raise LookupError("who am I?")


@pytest.mark.parametrize(
    ("verifier", "detail"),
    [(Leaves(), "leaves v1 raised SystemExit: 0"), (Nameless(), "Nameless raised LookupError: who am I?")],
)
def test_whatever_is_raised(evidence: MakeEvidence, verifier: SaysEight, detail: str) -> None:
    """To end the process is a bug like others, and so is a name that raises."""
    said, rejects = verify_problem(evidence(), (verifier, SaysEight()))
    assert {o.source for o in said.observations} == {"says_eight"}
    assert [r.detail for r in rejects] == [detail]


def test_the_transform(evidence: MakeEvidence) -> None:
    """Problems come out with what was said of them, in a pipeline too; rejects under their tag."""
    given = [with_second(evidence("a"), "boom = 8"), evidence("b")]
    verifiers = (Breaks(), SaysEight())
    said = [verify_problem(one, verifiers) for one in given]
    with beam.Pipeline(options=IN_PROCESS) as pipeline:
        out = pipeline | beam.Create(given).with_output_types(Evidence) | Verify(verifiers)
        assert_that(out.verified, equal_to([one for one, _ in said]), label="verified")
        assert_that(out[REJECTS], equal_to([r for _, rejects in said for r in rejects]), label="rejects")
    assert any(isinstance(r, Reject) for _, rejects in said for r in rejects)


@dataclass(frozen=True)
class AsksAWorker(SaysEight):
    """Compares by a library in a worker process."""

    name: ClassVar[str] = "asks_a_worker"

    def verify(self, claim: Claim[str]) -> Finding:
        gold = GoldAnswer(text="\\frac{\\sqrt{8}}{2}", type=AnswerType.EXPRESSION)
        checked = AnswerChecker().check(f"\\boxed{{{claim.body}}}", gold)
        return Finding(verdict=Verdict(checked.outcome.replace("correct", "holds").replace("wrong", "fails")))


@pytest.mark.slow
def test_workers_are_started_where_the_question_is(evidence: MakeEvidence) -> None:
    """In a pipeline too; a verifier travels by pickle."""
    given = evidence(text="x = \\sqrt{2}\ny = \\sqrt{3}\nend")
    verifier = pickle.loads(pickle.dumps(AsksAWorker()))
    with beam.Pipeline(options=IN_PROCESS) as pipeline:
        out = pipeline | beam.Create([given]).with_output_types(Evidence) | Verify((verifier,))
        verdicts = out.verified | beam.FlatMap(lambda one: sorted(o.verdict.value for o in one.observations))
        assert_that(verdicts, equal_to(["fails", "holds"]))
