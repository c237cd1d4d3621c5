"""The ready policies and the annotators they stand on agree with each other: names, versions, papers, constants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from steplabel.annotators import AnswerProbe, GoldLogprob
from steplabel.annotators.trees.mcts import MCTS, ROUTE_SOURCE
from steplabel.annotators.trees.omegaprm import OmegaPRM
from steplabel.labels.counting import ObservedScores, RolloutCounts, counting_of
from steplabel.labels.policies import POLICIES, PROBE
from steplabel.labels.searched import SearchedEdges

_A_PAPER = re.compile(r"arXiv:\d{4}\.\d{5}\b|\bours\b")


def _parts(value: Any) -> Iterator[Any]:
    """A policy, and the policies and countings that it is made of."""
    yield value
    for field in fields(value):
        inner = getattr(value, field.name)
        if is_dataclass(inner):
            yield from _parts(inner)


def test_names_and_versions_are_unique() -> None:
    """Two rows with equal policy and version mean the same thing, so no two policies share both, or a name."""
    named = [(policy.name, policy.version) for policy in POLICIES.values()]
    assert len(set(named)) == len({name for name, _ in named}) == len(POLICIES)
    assert list(POLICIES) == [name for name, _ in named]
    assert all(re.fullmatch(r"[a-z][a-z0-9_.]*", name) and re.fullmatch(r"[0-9.]+", version) for name, version in named)


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_names_its_paper(name: str) -> None:
    """Whoever reads a label's policy finds the paper behind it in a docstring, or that it is ours."""
    assert any(_A_PAPER.search(type(part).__doc__ or "") for part in _parts(POLICIES[name]))


def test_the_probe_is_the_annotators() -> None:
    """What the ready policies count is what the annotator asks by default: another text would count nothing."""
    assert AnswerProbe().probe == PROBE
    probes = {
        counting.probe for policy in POLICIES.values() if isinstance(counting := counting_of(policy), RolloutCounts)
    }
    assert probes == {"", PROBE}


def test_the_sources_are_the_annotators() -> None:
    """A policy of scores that names a source nobody writes would be silent for ever."""
    sources = {
        name: counting.source
        for name, policy in POLICIES.items()
        if isinstance(counting := counting_of(policy), ObservedScores)
    }
    assert sources == {"mcts": MCTS.name, "rest_mcts": ROUTE_SOURCE, "igpo": GoldLogprob.name}
    edges = {name: policy.source for name, policy in POLICIES.items() if isinstance(policy, SearchedEdges)}
    assert edges == {"omegaprm": OmegaPRM.name, "omegaprm_hard": OmegaPRM.name}
