"""Recipes that search a tree of steps for each problem."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.trees.mcts import MCTS
from steplabel.annotators.trees.next_step import NextSteps
from steplabel.annotators.trees.omegaprm import OmegaPRM
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse


def omegaprm(use: ModelUse) -> Recipe:
    """OmegaPRM (Luo et al. 2024, arXiv:2406.06592): a tree a problem, wrong rollouts searched by Q + U, soft labels.

    k=8, alpha=.5, beta=.9, L=500, c_puct=.125, 100 searches a problem. 32 sampled solutions are the root's rollouts;
    problems that are all right or all wrong are dropped, as in the paper. Steps are the model's lines
    (`annotator.pieces=16` cuts by length, as the paper does).
    """
    return replace(
        use.recipe("omegaprm", OmegaPRM(k=8, segmenter=use.segmenter, sampling=use.sampling), "omegaprm"), solutions=32
    )


def rest_mcts(use: ModelUse) -> Recipe:
    """ReST-MCTS* (Zhang et al. 2024, arXiv:2406.03816): MCTS over steps, route values as targets.

    Three next steps at a node, UCT constant .7. A node is scored by k=8 rollouts in place of the paper's value model,
    which it trains round by round on these very targets.
    """
    return use.recipe(
        "rest_mcts", MCTS(k=8, proposals=NextSteps(segmenter=use.segmenter), sampling=use.sampling), "rest_mcts"
    )


def alphamath(use: ModelUse) -> Recipe:
    """AlphaMath (Chen et al. 2024, arXiv:2405.03553): MCTS over steps, values backed up from rollouts.

    UCT in place of PUCT, whose prior needs the policy's own probabilities of whole steps; rollouts in place of the
    value head that the paper trains along.
    """
    return use.recipe(
        "alphamath", MCTS(k=8, proposals=NextSteps(segmenter=use.segmenter), sampling=use.sampling), "mcts"
    )
