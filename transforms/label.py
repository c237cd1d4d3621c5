"""DeriveLabels: evidence in, dataset rows out, under one policy. No model, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam

from steplabel.labels.apply import is_labelled, label_evidence
from steplabel.labels.policies import LabelPolicy
from steplabel.labels.rows import label_rows
from steplabel.schemas import Evidence, LabelRow, Reason, Reject, RunInfo
from steplabel.transforms.answers import in_one_voice
from steplabel.transforms.shards import REJECTS
from steplabel.verifiers import AnswerChecker

STAGE = "label"

BATCH = 64  # numpy pays off from a few dozen solutions on; more would only delay rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """Which policy speaks, for which run, by which checker's outcomes where several have judged."""

    policy: LabelPolicy
    run: RunInfo
    checker: str = AnswerChecker.name
    completer_licence: str = ""


def derive_labels(batch: Sequence[Evidence], how: Labelling) -> Iterator[LabelRow | Reject]:
    """A row for every solution with at least one decided step; a reject for every other one."""
    batch = [in_one_voice(evidence, how.checker) for evidence in batch]
    labels = iter(label_evidence(batch, how.policy))
    for evidence in batch:
        # By order, not by id: problems that ask the same share solution ids, and may differ in their gold answer.
        mine = [next(labels) for _ in evidence.solutions]
        decided = [one for one in mine if is_labelled(one)]
        yield from label_rows(evidence, decided, how.run, completer_licence=how.completer_licence)
        yield from (undecided(one.solution_id, len(one.marks), how.policy) for one in mine if not is_labelled(one))


def undecided(solution_id: str, steps: int, policy: LabelPolicy) -> Reject:
    """What is written of a solution none of whose steps, those that were not cut, got a label."""
    return Reject(
        record_id=solution_id,
        kind="solution",
        stage=STAGE,
        reason=Reason.UNDECIDED,
        detail=f"no step of {steps} is decided under {policy.name} v{policy.version}",
    )


def _tagged(batch: Sequence[Evidence], how: Labelling) -> Iterator[LabelRow | beam.pvalue.TaggedOutput]:
    for record in derive_labels(batch, how):
        yield beam.pvalue.TaggedOutput(REJECTS, record) if isinstance(record, Reject) else record


class DeriveLabels(beam.PTransform):  # type: ignore[misc]
    """Annotated problems -> label rows; undecided solutions under the tag `rejects`."""

    def __init__(self, how: Labelling) -> None:
        super().__init__()
        self.how = how

    def expand(self, evidence: beam.PCollection) -> beam.pvalue.DoOutputsTuple:
        """Batch, then label."""
        stage = beam.FlatMap(_tagged, self.how).with_output_types(LabelRow, **{REJECTS: Reject})
        return (
            evidence
            | "Batch" >> beam.BatchElements(min_batch_size=BATCH, max_batch_size=BATCH)
            | "Label" >> stage.with_outputs(REJECTS, main="rows")
        )
