"""How one model is spoken to, apart from what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from steplabel.annotators.annotation import Annotator, ProblemAnnotator
from steplabel.engines.port import EngineSpec
from steplabel.labels.policies import POLICIES
from steplabel.pipelines.recipe import Recipe
from steplabel.schemas import SamplingParams
from steplabel.schemas.segmentation import Segmenter
from steplabel.transforms.prompts import PromptTemplate


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUse:
    """How one model is spoken to; a recipe is the same for all of them.

    Attributes:
        engine: writes solutions and completes prefixes, unless another `completer` does that.
        sampling: of solutions and of rollouts.
        segmenter: where this model's steps end.
        completer: continues prefixes instead of the policy: PAV's prover, a stronger or cheaper model.
    """

    engine: EngineSpec
    prompt: PromptTemplate
    sampling: SamplingParams
    segmenter: Segmenter
    completer: EngineSpec | None = None

    @property
    def prover(self) -> EngineSpec:
        """Who continues prefixes."""
        return self.completer or self.engine

    def recipe(self, name: str, annotator: Annotator | ProblemAnnotator, view: str) -> Recipe:
        """This model under an annotator, labelled by a ready view of `labels.policies.POLICIES`."""
        return Recipe(
            name=name,
            policy=self.engine,
            completer=self.prover,
            annotator=annotator,
            labels=POLICIES[view],
            segmenter=self.segmenter,
            policy_sampling=self.sampling,
            prompt=self.prompt,
        )


MakeRecipe: TypeAlias = Callable[[ModelUse], Recipe]
