"""The recipes, named for what they reproduce. Each takes the engine to use and returns a `Recipe`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from steplabel.annotators.math_shepherd import MathShepherd
from steplabel.annotators.omegaprm_locate import OmegaPRMLocate
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
        engine: writes solutions and completes prefixes, unless a recipe names two models.
        sampling: of solutions and of rollouts.
        segmenter: where this model's steps end.
    """

    engine: EngineSpec
    prompt: PromptTemplate
    sampling: SamplingParams
    segmenter: Segmenter


def math_shepherd(use: ModelUse) -> Recipe:
    """Math-Shepherd (Wang et al. 2024, arXiv:2312.08935): k=8 rollouts at every step, hard labels.

    The last step holds the final answer, so its label is the solution's own outcome and costs no rollouts (the
    paper samples there too). Four solutions a problem here; the paper drew 15 from its own generator.
    """
    return Recipe(
        name="math_shepherd",
        policy=use.engine,
        completer=use.engine,
        annotator=MathShepherd(k=8, sampling=use.sampling),
        labels=POLICIES["math_shepherd_hard"],
        segmenter=use.segmenter,
        policy_sampling=use.sampling,
        prompt=use.prompt,
    )


def omegaprm_locate(use: ModelUse) -> Recipe:
    """OmegaPRM's binary search (Luo et al. 2024, arXiv:2406.06592, section 3.2) on given solutions, k=8.

    Finds the first prefix from which no rollout reaches the right answer. Solutions with a right answer are
    scored clean without rollouts and are told apart by `label_sources`. The tree of the paper, its pool and
    its selection rule are not part of this recipe: it labels whole sampled solutions, by lines.
    """
    return Recipe(
        name="omegaprm_locate",
        policy=use.engine,
        completer=use.engine,
        annotator=OmegaPRMLocate(k=8, sampling=use.sampling),
        labels=POLICIES["locate"],
        segmenter=use.segmenter,
        policy_sampling=use.sampling,
        prompt=use.prompt,
    )


RECIPES: Mapping[str, Callable[[ModelUse], Recipe]] = {
    "math_shepherd": math_shepherd,
    "omegaprm_locate": omegaprm_locate,
}
