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


def scan_pro(use: ModelUse) -> Recipe:
    """SCAN (Ding et al. 2025, arXiv:2509.16548): self-confidence, a scan to the first zero, re-weighted values.

    Problems that the policy solves less than .75 of the time are dropped. Right solutions are all 1 without a rollout;
    wrong ones are scanned from the front, k=8, to the first step without a right completion: it is 0, the two steps
    before it get min(1, MC / self-confidence), what follows is cut. Self-confidence is the share of right answers
    among the 32 solutions sampled here; the paper draws 128.
    """
    return replace(
        use.recipe("scan_pro", LinearScan(k=8, sampling=use.sampling), "scan"), question_filter=SCAN_GATE, solutions=32
    )


def scan_search(use: ModelUse) -> Recipe:
    """Binary search under SCAN's gate and weights: SCAN's labels at OmegaPRM's price. Ours: nobody ships it.

    The search asks some two prefixes near the error, so the two steps before it have values where it passed them and
    are unknown otherwise.
    """
    return replace(
        use.recipe("scan_search", OmegaPRMLocate(k=8, sampling=use.sampling), "scan"),
        question_filter=SCAN_GATE,
        solutions=32,
    )
