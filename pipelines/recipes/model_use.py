"""How one model is spoken to, apart from what it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from steplabel.engines.port import EngineSpec
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


MakeRecipe: TypeAlias = Callable[[ModelUse], Recipe]
