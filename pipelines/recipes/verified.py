"""Recipes whose labels are verifiers' verdicts."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.steps.samples_only import SamplesOnly
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.verifiers.registry import verifier_named


def fover(use: ModelUse) -> Recipe:
    """FoVer (Kamoi et al. 2025, arXiv:2505.15960): proofs in formal logic, each step checked against what it cites.

    No rollouts. Steps are lines, as the paper's proofs have them. For problems of domain `logic` (`steplabel problems
    --kind logic`, or FoVer's own files), with solutions of a model or imported ones; other problems get no label. Every
    problem is kept, however often it is solved: the labels do not rest on that.

    Deviations: steps are decided by exact truth tables and Z3 under a repeatable budget, where the paper's tool has a
    wall clock; contradictory premises are unknown, where it calls what follows from them right; its second half,
    theorems formalised by a model for Isabelle, has the contract for external provers (`verifiers/logic/provers.py`).
    """
    recipe = use.recipe("fover", SamplesOnly(), "fover")
    return replace(recipe, segmenter=NewlineSteps(), question_filter=None, verifiers=(verifier_named("logic"),))
