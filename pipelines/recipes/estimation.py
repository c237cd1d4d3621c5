"""Recipes that estimate every step by rollouts from it."""

from __future__ import annotations

from dataclasses import replace

from steplabel.annotators.asking.difficulty import KByDifficulty
from steplabel.annotators.steps.math_shepherd import MathShepherd
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse


def math_shepherd(use: ModelUse) -> Recipe:
    """Math-Shepherd (Wang et al. 2024, arXiv:2312.08935): k=8 rollouts at every step, hard labels.

    The last step holds the final answer, so its label is the solution's own outcome and costs no rollouts (the
    paper samples there too). Four solutions a problem here; the paper drew 15 from its own generator.
    """
    return use.recipe("math_shepherd", MathShepherd(k=8, sampling=use.sampling), "math_shepherd_hard")


def qwen_monte_carlo(use: ModelUse) -> Recipe:
    """The Monte-Carlo half of the Qwen "lessons" (Zhang et al. 2025, arXiv:2501.07301): k=8, steps after an error cut.

    The paper keeps a solution only if a model judge finds the same first error. Judges are not part of this recipe:
    run it with two completers, or beside a verifier, and keep what agrees (`steplabel curate RUN --agree OTHER`).
    """
    return use.recipe("qwen_monte_carlo", MathShepherd(k=8, sampling=use.sampling), "qwen_hard")


def genprm(use: ModelUse) -> Recipe:
    """GenPRM's relative progress (Zhao et al. 2025, arXiv:2504.00891): MC(step) / MC(before it), "+" from .8 on.

    128, 64 or 32 rollouts a step for problems that are solved less than .1, less than .9 of the time, or more often;
    a pilot of 32 completions of the bare problem tells which. Problems that are all right or all wrong are dropped.
    The paper's rationales and code checks are written by a model and are not part of this recipe.
    """
    return use.recipe(
        "genprm", MathShepherd(sampling=use.sampling, ask_root=True, k_by_difficulty=KByDifficulty()), "genprm"
    )


def pav(use: ModelUse) -> Recipe:
    """Process advantage verifiers (Setlur et al. 2024, arXiv:2410.08146): the change of a prover's best-of-4 success.

    The prover is the completer: give one that is not the policy (`--completer`), since a policy's own advantages say
    little about steps that it takes anyway. k=16 rollouts, from which best-of-4 is estimated without bias; the paper
    trains a model of the prover's value instead of counting.
    """
    return use.recipe("pav", MathShepherd(k=16, sampling=use.sampling, ask_root=True), "pav")


def pure(use: ModelUse) -> Recipe:
    """PURE's min-form credit (Cheng et al. 2025, arXiv:2504.15275) over Monte-Carlo values, k=8.

    The paper re-weights the rewards of a trained process reward model at training time; here the same weights,
    softmax(-value / 0.1), are put on the values that such a model would be trained on.
    """
    return use.recipe("pure", MathShepherd(k=8, sampling=use.sampling), "pure")


def gra(use: ModelUse) -> Recipe:
    """Outcome-gated rewards (G-RA): Monte-Carlo values, k=8, that count only where the final answer is right."""
    return use.recipe("gra", MathShepherd(k=8, sampling=use.sampling), "gra")


def prof(use: ModelUse) -> Recipe:
    """PROF (Ye et al. 2025, arXiv:2509.03403): groups of 8 solutions with step values, to drop the 4 least consistent.

    n=8 solutions a problem, soft values of k=8 rollouts. `steplabel curate RUN --prof 4 --output DIR` then drops m=4 of
    each group: right answers over weak steps and wrong answers over strong ones, so that right and wrong balance.

    Deviations. The paper scores steps with a trained process reward model during reinforcement learning; here they
    are measured. Problems that are all right or all wrong are dropped before they cost rollouts.
    """
    recipe = use.recipe("prof", MathShepherd(k=8, sampling=use.sampling), "math_shepherd_soft")
    return replace(recipe, solutions=8)


def glore(use: ModelUse) -> Recipe:
    """GLoRe (Havrilla et al. 2024, arXiv:2402.10963): drafts, where they go wrong, and right continuations from there.

    k=8 rollouts at every step and at the bare problem; "+" if any is right, which is what the paper's stepwise outcome
    model is trained on. `steplabel export RUN --layout refinements --output FILE` pairs each wrong solution with a
    right rollout from the prefix before its first error.

    Deviation. The paper draws drafts from rollouts behind the wrong step as well; here each wrong solution is one.
    """
    return use.recipe("glore", MathShepherd(k=8, sampling=use.sampling, ask_root=True), "math_shepherd_hard")
