"""Verify: what verifiers say of solutions, added to the evidence as observations. No model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import apache_beam as beam

from steplabel.schemas import Evidence, Observation, Reason, Reject
from steplabel.transforms.intake import printable
from steplabel.transforms.shards import REJECTS
from steplabel.verifiers import InformedVerifier, SiblingVerifier, observe
from steplabel.verifiers.registry import AnyVerifier, speaks_of

STAGE = "verify"


def verify_problem(evidence: Evidence, verifiers: Sequence[AnyVerifier]) -> tuple[Evidence, tuple[Reject, ...]]:
    """Add what each verifier that is made for the problem says of each solution, or of all of them together.

    A verifier that raises has a bug: what it was asked about goes on without it, and a reject of kind `solution` (of
    kind `problem` where solutions are compared) names it. What other versions or sources have said stays.
    """
    observations: list[Observation] = []
    rejects: list[Reject] = []
    for verifier in verifiers:
        try:
            questions = tuple(_questions(evidence, verifier))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - its properties may raise, too
            rejects.append(_raised(verifier, evidence.problem.id, "problem", error))
            continue
        for record_id, kind, ask in questions:
            try:
                observations += ask()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - its bug must not cost anything but its word
                rejects.append(_raised(verifier, record_id, kind, error))
    if not observations:
        return evidence, tuple(rejects)
    said = tuple(replace(one, problem_id=evidence.problem.id) for one in observations)
    return evidence.merged(Evidence(problem=evidence.problem, observations=said)), tuple(rejects)


_Question = tuple[str, str, Callable[[], Sequence[Observation]]]
"""Id and kind of what is asked about, and the question."""


def _questions(evidence: Evidence, verifier: AnyVerifier) -> Iterator[_Question]:
    problem = evidence.problem
    if not speaks_of(verifier, problem):
        return
    if isinstance(verifier, SiblingVerifier):
        yield problem.id, "problem", partial(verifier.compare, problem, evidence.solutions)
        return
    if isinstance(verifier, InformedVerifier):
        verifier = verifier.informed(evidence.observations)
    for solution in evidence.solutions:
        yield solution.id, "solution", partial(observe, verifier, problem, solution)


def _raised(verifier: AnyVerifier, record_id: str, kind: str, error: BaseException) -> Reject:
    return Reject(
        record_id=record_id,
        kind=kind,
        stage=STAGE,
        reason=Reason.CRASH,
        detail=printable(f"{_called(verifier)} raised {type(error).__name__}: {error}"),
    )


def _called(verifier: AnyVerifier) -> str:
    try:
        return f"{verifier.name} v{verifier.version}"
    except (Exception, SystemExit):  # noqa: BLE001 - its name may be what raised
        return type(verifier).__name__


def _tagged(evidence: Evidence, verifiers: Sequence[AnyVerifier]) -> Iterator[Evidence | beam.pvalue.TaggedOutput]:
    verified, rejects = verify_problem(evidence, verifiers)
    yield verified
    yield from (beam.pvalue.TaggedOutput(REJECTS, reject) for reject in rejects)


class Verify(beam.PTransform):  # type: ignore[misc]
    """Problems with solutions -> the same with observations; what verifiers raised is tagged as reject.

    Verifiers travel by pickle. Workers that one asks are started in the Beam worker by its first question, never by a
    fork, and end with that process: closing them at a bundle's end would cut off what other threads are asking.
    """

    def __init__(self, verifiers: Sequence[AnyVerifier]) -> None:
        super().__init__()
        self.verifiers = tuple(verifiers)

    def expand(self, problems: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Wire one map with two outputs."""
        stage = beam.FlatMap(_tagged, self.verifiers).with_output_types(Evidence, **{REJECTS: Reject})
        return problems | "Verify" >> stage.with_outputs(REJECTS, main="verified")
