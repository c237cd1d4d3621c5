"""The graph of one chunk, from problems to committed files. The same for every runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import apache_beam as beam

from steplabel.engines.port import EngineSpec
from steplabel.pipelines.recipe import Recipe
from steplabel.schemas import Evidence, Reject, RunInfo
from steplabel.transforms.annotate import DROPPED, Annotate, AnnotationPlan, FilterQuestions
from steplabel.transforms.answers import CheckAnswers
from steplabel.transforms.commit import CommitDataset
from steplabel.transforms.dataset import ChunkName, OutputFolder
from steplabel.transforms.label import DeriveLabels, Labelling
from steplabel.transforms.sample import SampleSolutions, SamplingPlan
from steplabel.transforms.shards import REJECTS, IntoShards
from steplabel.transforms.verify import Verify
from steplabel.transforms.write import WriteDataset


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkJob:
    """One pipeline run.

    Attributes:
        policy, completer: the recipe's engines as they are opened here: behind the store and the budget.
        shards: how many lists the chunk's problems are worked on in; at least one for each worker process.
    """

    recipe: Recipe
    policy: EngineSpec
    completer: EngineSpec
    run: RunInfo
    completer_licence: str
    folder: OutputFolder
    chunk: ChunkName
    shards: int = 1


def build(
    root: beam.Pipeline, job: ChunkJob, problems: Sequence[Evidence], refused: Sequence[Reject]
) -> beam.PCollection:
    """Wire the whole graph; the collection it returns holds the chunk's name once it is committed."""
    recipe = job.recipe
    sampling = SamplingPlan(
        policy=job.policy,
        prompt=recipe.prompt,
        checker=recipe.checker,
        segmenter=recipe.segmenter,
        sampling=recipe.policy_sampling,
        n=recipe.solutions,
        seed=recipe.seed,
        in_flight=recipe.in_flight,
    )
    annotation = AnnotationPlan(
        completer=job.completer,
        prompt=recipe.prompt,
        checker=recipe.checker,
        annotator=recipe.annotator,
        seed=recipe.seed,
        in_flight=recipe.in_flight,
    )
    labelling = Labelling(policy=recipe.labels, run=job.run, completer_licence=job.completer_licence)
    given = root | "Problems" >> beam.Create(problems, reshuffle=False).with_output_types(Evidence)
    solved = given | "ToSample" >> IntoShards(job.shards) | "SampleSolutions" >> SampleSolutions(sampling)
    checked = solved.solved | "CheckAnswers" >> CheckAnswers(recipe.checker)
    asked = checked | "FilterQuestions" >> FilterQuestions(recipe.question_filter)
    known = asked.kept | "ToAnnotate" >> IntoShards(job.shards) | "Annotate" >> Annotate(annotation)
    said = known.annotated | "Verify" >> Verify(recipe.verifiers)
    settled = said.verified | "Settle" >> beam.Reshuffle()
    labels = settled | "DeriveLabels" >> DeriveLabels(labelling)
    early = root | "Refused" >> beam.Create(refused, reshuffle=False).with_output_types(Reject)
    rejects = (early, solved[REJECTS], asked[REJECTS], known[REJECTS], said[REJECTS], labels[REJECTS])
    tables = {"evidence": (settled, asked[DROPPED]), "labels": labels.rows, "rejects": rejects}
    staged = tables | "WriteDataset" >> WriteDataset(job.folder, job.chunk.index)
    return (staged, rejects) | "CommitDataset" >> CommitDataset(job.folder, job.chunk)
