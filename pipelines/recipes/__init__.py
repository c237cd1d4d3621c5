"""The recipes, named for what they reproduce. Each takes the model to use and returns a `Recipe`.

estimation.py   every step by rollouts from it
location.py     the first wrong step
trees.py        a tree of steps for each problem
samples.py      nothing beyond the sampled solutions
verified.py     no rollouts: verifiers judge the steps
probes.py       what the model knows after each step, in a few tokens
model_use.py    how one model is spoken to
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from steplabel.pipelines.recipes.estimation import (
    genprm,
    glore,
    gra,
    math_shepherd,
    pav,
    prof,
    pure,
    qwen_monte_carlo,
)
from steplabel.pipelines.recipes.location import (
    intervention,
    omegaprm_locate,
    scan_base,
    scan_pro,
    scan_search,
)
from steplabel.pipelines.recipes.model_use import MakeRecipe, ModelUse
from steplabel.pipelines.recipes.probes import anytime_reasoner, igpo, vsrm
from steplabel.pipelines.recipes.samples import gigpo, tempo
from steplabel.pipelines.recipes.trees import alphamath, hrm, mm_prm, omegaprm, rest_mcts, step_q
from steplabel.pipelines.recipes.verified import formalised, fover

_ALL: tuple[MakeRecipe, ...] = (
    math_shepherd,
    qwen_monte_carlo,
    genprm,
    pav,
    pure,
    gra,
    prof,
    glore,
    omegaprm_locate,
    scan_base,
    scan_pro,
    scan_search,
    intervention,
    omegaprm,
    mm_prm,
    rest_mcts,
    alphamath,
    step_q,
    hrm,
    tempo,
    gigpo,
    vsrm,
    anytime_reasoner,
    igpo,
    fover,
    formalised,
)

RECIPES: Mapping[str, MakeRecipe] = MappingProxyType({make.__name__: make for make in _ALL})

__all__ = ["RECIPES", "MakeRecipe", "ModelUse"]
