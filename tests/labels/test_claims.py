"""Of all statements about a node, the verdict and the score that count."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.claims import Claim, claims_by_subject
from steplabel.schemas import Observation, Verdict


def says(score=None, version="1", *, evidence="", verdict=Verdict.UNKNOWN, source="mcts", subject="n"):
    return Observation(
        subject=subject, source=source, source_version=version, verdict=verdict, score=score, evidence=evidence
    )


CASES = {
    # name: (statements, verdict, score)
    "one": ([says(0.25)], 0, 0.25),
    "zero is a score": ([says(0.0)], 0, 0.0),
    "none is no score": ([says()], 0, None),
    "a verdict without a score": ([says(verdict=Verdict.HOLDS)], 1, None),
    "both": ([says(0.0, verdict=Verdict.FAILS)], -1, 0.0),
    "the newest version": ([says(0.25, "9"), says(0.75, "10")], 0, 0.75),
    "the newest version, though it is silent": ([says(0.25, "1"), says(None, "2")], 0, None),
    "repeats are averaged": ([says(0.25, evidence="a"), says(0.75, evidence="b")], 0, 0.5),
    "repeats without evidence, too": ([says(0.25), says(0.75)], 0, 0.5),
    "said twice is said once": ([says(0.25), says(0.25), says(0.75)], 0, 0.5),
    "equal scores of two searches are two": ([says(0.0, evidence="a"), says(0.0, evidence="b"), says(0.75)], 0, 0.25),
    "who could not ask takes no part": ([says(None), says(0.5)], 0, 0.5),
    "an old version is not averaged in": ([says(1.0, "1"), says(0.25, "2"), says(0.75, "2")], 0, 0.5),
    "holds and fails": ([says(verdict=Verdict.HOLDS), says(verdict=Verdict.FAILS)], 0, None),
    "scores stand though verdicts clash": (
        [says(1.0, verdict=Verdict.HOLDS), says(0.0, verdict=Verdict.FAILS)],
        0,
        0.5,
    ),
    "decided beside unknown": ([says(verdict=Verdict.FAILS), says(verdict=Verdict.UNKNOWN)], -1, None),
}


@pytest.mark.parametrize(("statements", "verdict", "score"), CASES.values(), ids=CASES.keys())
def test_by_hand(statements, verdict, score):
    """The newest version alone; a clash of verdicts is none, scores are averaged; in whatever order."""
    for order in itertools.permutations(statements):
        assert claims_by_subject(order) == {"n": {"mcts": Claim(verdict, score)}}


def test_sources_and_nodes_are_told_apart():
    """A source's version says nothing about another source, or about another node."""
    said = [says(0.25, "2"), says(0.5, "1", source="igpo"), says(0.75, "1", subject="m")]
    assert claims_by_subject(said) == {
        "n": {"mcts": Claim(0, 0.25), "igpo": Claim(0, 0.5)},
        "m": {"mcts": Claim(0, 0.75)},
    }
    assert claims_by_subject([]) == {}


statements = st.lists(
    st.builds(
        says,
        st.none() | st.floats(0, 1),
        st.sampled_from(["1", "2", "10"]),
        evidence=st.sampled_from(["", "a", "b"]),
        verdict=st.sampled_from(Verdict),
        source=st.sampled_from(["mcts", "igpo"]),
        subject=st.sampled_from(["n", "m"]),
    ),
    max_size=10,
)


@given(statements, st.randoms())
def test_order_and_repeats_play_no_part(said, rng):
    """Shuffled and merged with itself it comes to the same, to the last bit; scores stay between those given."""
    claims = claims_by_subject(said)
    assert claims_by_subject(rng.sample(said * 3, 3 * len(said))) == claims
    for (subject, source), claim in (((n, s), c) for n, its in claims.items() for s, c in its.items()):
        given_scores = [o.score for o in said if (o.subject, o.source) == (subject, source) and o.score is not None]
        if claim.score is not None:
            assert min(given_scores) - 1e-12 <= claim.score <= max(given_scores) + 1e-12
