"""The graph as Beam sees it: what travels between its stages is encoded by our coders, not pickled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from apache_beam.pipeline import AppliedPTransform, PipelineVisitor
from apache_beam.typehints import typehints

from steplabel.pipelines.graph import ChunkJob, build
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.runner import RunnerChoice, beam_pipelines
from steplabel.schemas import RunInfo
from steplabel.transforms.dataset import ChunkName, OutputFolder


class Types(PipelineVisitor):  # type: ignore[misc]
    """Collects the element type of every collection that a step of ours gives."""

    def __init__(self) -> None:
        self.found: dict[str, object] = {}

    def visit_transform(self, transform_node: AppliedPTransform) -> None:
        """Note each output by the step's name and its tag."""
        for tag, collection in transform_node.outputs.items():
            self.found[f"{transform_node.full_label}[{tag}]"] = collection.element_type


def test_every_collection_says_what_it_holds(recipe_of: Callable[..., Recipe], tmp_path: Path) -> None:
    """A collection of unknown type is pickled element by element: slow, and fragile between two versions."""
    recipe = recipe_of()
    job = ChunkJob(
        recipe=recipe,
        policy=recipe.policy,
        completer=recipe.completer,
        run=RunInfo(run_id="r", recipe=recipe.name, config_hash="c", code_version="1"),
        completer_licence="",
        folder=OutputFolder(str(tmp_path)),
        chunk=ChunkName(index=0, key="", rows=0),
    )
    with beam_pipelines(RunnerChoice(), (recipe.policy,)) as pipelines:
        pipeline = pipelines()
        build(pipeline, job, [], [])
    types = Types()
    pipeline.visit(types)
    assert len(types.found) > 30
    assert [name for name, kind in types.found.items() if kind == typehints.Any] == []
