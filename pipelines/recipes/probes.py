"""Recipes that ask what the model knows after each step, in a few tokens."""

from __future__ import annotations

from steplabel.annotators.steps.answer_probe import AnswerProbe
from steplabel.annotators.steps.gold_logprob import GoldLogprob
from steplabel.pipelines.recipe import Recipe
from steplabel.pipelines.recipes.model_use import ModelUse


def vsrm(use: ModelUse) -> Recipe:
    """VSRM (Yue et al. 2025, arXiv:2508.10293): the change of the share of right answers when forced to answer now.

    k=8 answers of a few tokens behind every step. `annotator.probe` is what makes this model answer; labels count the
    answers to `labels.counting.probe`: set both to one text.
    """
    return use.recipe("vsrm", AnswerProbe(sampling=use.sampling), "vsrm")


def anytime_reasoner(use: ModelUse) -> Recipe:
    """AnytimeReasoner (Qi et al. 2025, arXiv:2505.13438): the share of right forced answers behind each step.

    Prefixes are steps here, budgets of tokens there. Another `annotator.probe` wants the same text as
    `labels.counting.probe`, as for `vsrm`.
    """
    return use.recipe("anytime_reasoner", AnswerProbe(sampling=use.sampling), "anytime")


def igpo(use: ModelUse) -> Recipe:
    """IGPO: the change of the gold answer's probability along the prefixes. No sampling beyond the solutions.

    Needs an engine that gives log-probabilities of prompts: transformers, vLLM, or a vLLM server.
    """
    return use.recipe("igpo", GoldLogprob(), "igpo")
