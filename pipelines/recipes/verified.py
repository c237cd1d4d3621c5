"""Recipes whose labels are verifiers' verdicts."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.steps.formalise import Formalise
from steplabel.annotators.steps.samples_only import SamplesOnly
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse
from steplabel.schemas.segmentation import NewlineSteps
from steplabel.verifiers.entailment.formal_verifier import FormalisationVerifier
from steplabel.verifiers.registry import verifier_named


def fover(use: ModelUse) -> Recipe:
    """FoVer (Kamoi et al. 2025, arXiv:2505.15960): proofs in formal logic, each step checked against what it cites.

    No rollouts. Steps are lines, as the paper's proofs have them. For problems of domains `logic` and `sat` (`steplabel
    problems --kind proofs`, `logic` or `sat`, or FoVer's own files); other problems get no label. Proofs are imported,
    or written by a model that can: the bundled model writes none. Every problem is kept, however often it is solved:
    the labels do not rest on that.

    Deviations: steps are decided by exact truth tables and Z3 under a repeatable budget, where the paper's tool has a
    wall clock; contradictory premises are unknown, where it calls what follows from them right; its second half,
    theorems formalised by a model for Isabelle, has the contract for external provers (`verifiers/logic/provers.py`).
    The answers to tasks about clauses are ours: of their steps only the one that answers is labelled.
    """
    recipe = use.recipe("fover", SamplesOnly(), "fover")
    verifiers = tuple(map(verifier_named, ("logic", "sat_task")))
    return replace(recipe, segmenter=NewlineSteps(), question_filter=None, verifiers=verifiers)


def formalised(use: ModelUse) -> Recipe:
    """Ours, after FoVer (arXiv:2505.15960): a model writes each solution as formulas, and Z3 decides every step.

    One answer a solution (`--completer` for a model that formalises better than the policy); it must be a model that
    follows instructions. Labels are about the formulas: a model that formalises wrongly makes right steps fail, so
    evaluate on marked solutions before training. Steps that are no formula stay unknown.
    """
    recipe = use.recipe("formalised", Formalise(), "formalised")
    return replace(recipe, question_filter=None, verifiers=(FormalisationVerifier(),))
