"""Recipes that look for the first wrong step."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.question_filter import SCAN_GATE
from steplabel.annotators.steps.linear_scan import LinearScan
from steplabel.annotators.steps.omegaprm_locate import OmegaPRMLocate
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse


def omegaprm_locate(use: ModelUse) -> Recipe:
    """OmegaPRM's binary search (Luo et al. 2024, arXiv:2406.06592, section 3.2) on given solutions, k=8.

    Finds the first prefix from which no rollout reaches the right answer. Solutions with a right answer are
    scored clean without rollouts and are told apart by `label_sources`. The tree of the paper, its pool and
    its selection rule are not part of this recipe: it labels whole sampled solutions, by lines.
    """
    return use.recipe("omegaprm_locate", OmegaPRMLocate(k=8, sampling=use.sampling), "locate")


def scan_base(use: ModelUse) -> Recipe:
    """SCAN (Ding et al. 2025, arXiv:2509.16548): self-confidence, a scan to the first zero, re-weighted values.

    Problems that the policy solves less than .75 of the time are dropped. Right solutions are all 1 without a rollout;
    wrong ones are scanned from the front, k=8, to the first step without a right completion: it is 0, the two steps
    before it get min(1, MC / self-confidence), what follows is cut. Self-confidence is the share of right answers
    among the 32 solutions sampled here; the paper draws 128.

    The paper's Base set is this under one small model (1.5B), its Pro set under three: see `scan_pro`. Both keep as
    many solutions with an error as without: `steplabel curate RUN --balance 1:1 --output DIR` is the last step.
    """
    return _scan(use, "scan_base")


def scan_pro(use: ModelUse) -> Recipe:
    """One model's share of SCAN's Pro set (Ding et al. 2025, arXiv:2509.16548), whose method is that of `scan_base`.

    Pro is the union of three runs, each under a model that writes and completes its own solutions (Qwen2.5 1.5B and
    7B, Llama 3B in the released code), each balanced by itself. So: one run for each model, each with a folder of its
    own, `steplabel curate RUN --balance 1:1 --output DIR` on each, and train on all of them together. A problem passes
    the gate of each model apart: what one is not sure of, another may be.
    """
    return _scan(use, "scan_pro")


def _scan(use: ModelUse, name: str) -> Recipe:
    return replace(
        use.recipe(name, LinearScan(k=8, sampling=use.sampling), "scan"), question_filter=SCAN_GATE, solutions=32
    )


def scan_search(use: ModelUse) -> Recipe:
    """Binary search under SCAN's gate and weights: SCAN's labels at OmegaPRM's price. Ours, not the paper's.

    The search asks some two prefixes near the error, so the two steps before it have values where it passed them and
    are unknown otherwise.
    """
    return replace(
        use.recipe("scan_search", OmegaPRMLocate(k=8, sampling=use.sampling), "scan"),
        question_filter=SCAN_GATE,
        solutions=32,
    )


def intervention(use: ModelUse) -> Recipe:
    """InT (Yang et al. 2026, arXiv:2601.14209): where a solution goes wrong, and a step of the model's that does not.

    Finds the first error by halving, k=8, and keeps the rollouts: a right one from the prefix before the error begins
    with the step to put in its place. `steplabel export RUN --layout prefixes --output FILE` writes those prefixes.

    Deviations. The paper's model finds the error and writes the intervention itself, shown a reference solution; here
    no reference is needed. An error in the first step has no prefix that was asked and gives none: `glore` asks there.
    """
    return use.recipe("intervention", OmegaPRMLocate(k=8, sampling=use.sampling), "locate")
