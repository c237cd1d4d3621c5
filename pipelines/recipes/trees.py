"""Recipes that search a tree of steps for each problem."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.trees.mcts import MCTS
from steplabel.annotators.trees.next_step import NextSteps
from steplabel.annotators.trees.omegaprm import OmegaPRM
from steplabel.annotators.trees.rollout_pool import RolloutSelection
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


def mm_prm(use: ModelUse) -> Recipe:
    """MM-PRM's text side (Du et al. 2025, arXiv:2505.13427): OmegaPRM's tree with twice the rollouts, soft labels.

    k=16, alpha=.5, beta=.9, L=2000, c_puct=.125, 200 searches and 1,000 rollouts a problem, temperature 1, top-p .9,
    top-k 50, as in the paper's released scripts; 16 sampled solutions are the root's rollouts. Steps are the model's
    lines, and problems that are all right or all wrong are dropped, as in `omegaprm`.

    Deviation. What is written here is text: a problem's images go along as far as the engine takes them.
    """
    sampling = replace(use.sampling, temperature=1.0, top_p=0.9, top_k=50)
    search = OmegaPRM(
        k=16,
        segmenter=use.segmenter,
        sampling=sampling,
        selection=RolloutSelection(length=2000),
        searches=200,
        max_samples=1000,
    )
    return replace(use.recipe("mm_prm", search, "omegaprm"), solutions=16, policy_sampling=sampling)


def step_q(use: ModelUse) -> Recipe:
    """Step-Q (Zhai et al. 2024, arXiv:2409.09345): MCTS over steps, values backed up, siblings ranked by them.

    Three next steps at a node, each scored by k=8 rollouts. `steplabel export RUN --layout value_pairs --output FILE`
    makes a preference pair of every two siblings of different value, for step-wise DPO.

    Deviations. The paper's agents act in an environment that rewards the end of an episode; here the end is an answer
    that is checked. All siblings are paired; `--min-margin` leaves out differences that are noise.
    """
    return use.recipe("step_q", MCTS(k=8, proposals=NextSteps(segmenter=use.segmenter), sampling=use.sampling), "mcts")


def hrm(use: ModelUse) -> Recipe:
    """HRM with node compression (Wang et al. 2025, arXiv:2503.13551): a tree of four steps a node, soft labels.

    Four next steps at a node, since compression wants parents of four children or more; k=8 rollouts score a node.
    `steplabel curate RUN --compress --output DIR` then merges at most one child of each such parent with it, with
    probability .5, and labels the compressed tree anew. The paper trains on both: load the two folders together.

    Deviation. The paper scores a node by the share of right leaves below it, so that a parent loses the child that it
    gave up; here a node keeps its own rollouts, and what changes is the size of steps.
    """
    proposals = NextSteps(branch=4, segmenter=use.segmenter)
    return use.recipe("hrm", MCTS(k=8, proposals=proposals, sampling=use.sampling), "math_shepherd_soft")
