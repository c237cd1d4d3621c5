"""Recipes that ask nothing beyond the sampled solutions."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.steps.samples_only import SamplesOnly
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse


def tempo(use: ModelUse) -> Recipe:
    """TEMPO (arXiv:2509.18314): a prefix is worth the share of right ones among the samples that pass through it.

    No rollouts: 16 solutions a problem. Informative only where samples begin alike.
    """
    return replace(use.recipe("tempo", SamplesOnly(), "tempo"), solutions=16)


def gigpo(use: ModelUse) -> Recipe:
    """GiGPO (Feng et al. 2025, arXiv:2505.10978): the same over equal states, whatever way led there.

    Two steps are in one state if they assert the same last number. No rollouts: 16 solutions a problem.
    """
    return replace(use.recipe("gigpo", SamplesOnly(), "gigpo"), solutions=16)
