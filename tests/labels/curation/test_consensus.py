"""Agreement on the location of the first error, by hand and as properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels import HardAny, first_error_f1, label_evidence
from steplabel.labels.curation import (
    AllAgree,
    AtLeast,
    Majority,
    NoConsensus,
    Silence,
    agree_on_location,
    agreed_labels,
    agreed_row,
    consensus_report,
)
from steplabel.schemas import ConfigError, DataError

DISSENTS = Silence.DISSENTS
KEPT = None

CASES = {
    "both name one step": (AllAgree(), [2, 2], 2, KEPT),
    "both find none": (AllAgree(), [-1, -1], -1, KEPT),
    "both see an error elsewhere": (AllAgree(), [2, 5], None, NoConsensus.DISAGREEMENT),
    "one sees none": (AllAgree(), [2, -1], None, NoConsensus.DISAGREEMENT),
    "one does not know": (AllAgree(), [2, None], None, NoConsensus.TOO_FEW_SPOKE),
    "one of three does not know": (AllAgree(), [2, 2, None], 2, KEPT),
    "silence dissents": (AllAgree(silence=DISSENTS), [2, 2, None], None, NoConsensus.DISAGREEMENT),
    "nobody knows": (AllAgree(), [None, None], None, NoConsensus.NOBODY_SPOKE),
    "nobody knows, and dissents": (AllAgree(silence=DISSENTS), [None, None], None, NoConsensus.NOBODY_SPOKE),
    "no source": (AllAgree(), [], None, NoConsensus.NOBODY_SPOKE),
    "one source is enough": (AllAgree(at_least=1), [3, None], 3, KEPT),
    "two of three": (Majority(), [0, 0, 4], 0, KEPT),
    "half is no majority": (Majority(), [0, 0, 4, 4], None, NoConsensus.DISAGREEMENT),
    "two of two that spoke": (Majority(), [0, 0, None, None], 0, KEPT),
    "two of four with silence": (Majority(silence=DISSENTS), [0, 0, None, None], None, NoConsensus.DISAGREEMENT),
    "three of five with silence": (Majority(silence=DISSENTS), [1, 1, 1, None, 2], 1, KEPT),
    "a majority of one": (Majority(), [0, None, None], None, NoConsensus.TOO_FEW_SPOKE),
    "two of five": (AtLeast(at_least=2), [1, 1, 2, 3, 4], 1, KEPT),
    "two against two": (AtLeast(at_least=2), [1, 1, 2, 2], None, NoConsensus.TIE),
    "three against two": (AtLeast(at_least=2), [1, 1, 1, 2, 2], 1, KEPT),
    "no two": (AtLeast(at_least=2), [1, 2, 3], None, NoConsensus.DISAGREEMENT),
    "three of two": (AtLeast(at_least=3), [1, 1], None, NoConsensus.TOO_FEW_SPOKE),
    "one against one": (AtLeast(at_least=1), [1, 2], None, NoConsensus.TIE),
}


def named(said):
    return {f"source{i}": first_error for i, first_error in enumerate(said)}


@pytest.mark.parametrize(("rule", "said", "location", "dropped"), CASES.values(), ids=CASES)
def test_rules_by_hand(rule, said, location, dropped):
    """Each rule keeps what its sentence says, and gives the reason where it does not."""
    result = agree_on_location(named(said), rule)
    assert (result.first_error, result.dropped, result.kept) == (location, dropped, dropped is None)


def test_who_said_what():
    """Sources are told apart as agreeing, dissenting and silent; without a winner all dissent."""
    said = {"judge": 2, "mc": 2, "z3": None, "arithmetic": 4}
    result = agree_on_location(said, AtLeast(at_least=2))
    assert (result.agreeing, result.dissenting, result.silent) == (("judge", "mc"), ("arithmetic",), ("z3",))
    result = agree_on_location(said, AllAgree())
    assert (result.agreeing, result.dissenting) == ((), ("arithmetic", "judge", "mc"))


RULES = st.sampled_from([AllAgree(), Majority(), AtLeast(at_least=2), AllAgree(at_least=3), Majority(at_least=1)])
SAID = st.lists(st.none() | st.integers(-1, 3), max_size=6)


@settings(deadline=None)
@given(SAID, RULES, st.integers(0, 3))
def test_silent_sources_change_nothing(said, rule, more):
    """Sources that do not know neither make nor break an agreement, unless the rule says so."""
    with_silence = agree_on_location(named([*said, *[None] * more]), rule)
    without = agree_on_location(named([s for s in said if s is not None]), rule)
    assert (with_silence.first_error, with_silence.dropped) == (without.first_error, without.dropped)


@settings(deadline=None)
@given(SAID, RULES, st.sampled_from(Silence), st.randoms(use_true_random=False))
def test_order_changes_nothing(said, rule, silence, random):
    """Who is asked first makes no difference, to no field."""
    rule = type(rule)(at_least=rule.at_least, silence=silence)
    items = list(named(said).items())
    random.shuffle(items)
    assert agree_on_location(dict(items), rule) == agree_on_location(named(said), rule)


@settings(deadline=None)
@given(SAID, RULES)
def test_what_is_kept_was_said(said, rule):
    """A location that is agreed on was named by at least as many sources as the rule asks for."""
    result = agree_on_location(named(said), rule)
    if result.kept:
        assert said.count(result.first_error) == len(result.agreeing) >= rule.at_least
    else:
        assert result.first_error is None
    assert len(result.agreeing) + len(result.dissenting) + len(result.silent) == len(said)


@settings(deadline=None)
@given(SAID)
def test_all_agree_is_the_strictest(said):
    """What all agree on is the majority's and any quorum's location as well."""
    result = agree_on_location(named(said), AllAgree())
    if result.kept:
        for rule in (Majority(), AtLeast(at_least=2)):
            assert agree_on_location(named(said), rule).first_error == result.first_error


def test_report_by_hand():
    """Shares and reasons are counted; clean solutions among those kept are told apart."""
    results = [agree_on_location(named(said), AllAgree()) for said in ([1, 1], [-1, -1], [1, 2], [1, None], [3, 4])]
    report = consensus_report(results)
    assert (report.solutions, report.kept, report.share_kept, report.kept_clean) == (5, 2, 0.4, 1)
    assert report.dropped == ((NoConsensus.TOO_FEW_SPOKE, 1), (NoConsensus.DISAGREEMENT, 2))
    nothing = consensus_report([])
    assert (nothing.solutions, nothing.share_kept, nothing.dropped) == (0, None, ())


@pytest.mark.parametrize("rule", [AllAgree, Majority, AtLeast])
def test_at_least_one(rule):
    """A rule that asks for nobody is refused."""
    with pytest.raises(ConfigError, match="at_least=0"):
        rule(at_least=0)


def test_refused_locations():
    """-2 of a label batch is None here: taken for a location it would agree with another unknown."""
    with pytest.raises(DataError, match="mc says first error -2"):
        agree_on_location({"mc": -2, "judge": -2}, AllAgree())


def test_labels_of_all_that_agree(records):
    """Labels that name the agreed location are kept and say who agreed; others are not."""
    solution = records.solution("a\n", "b\n", "c\n")
    evidence = records.evidence([solution], {solution.node_keys[0]: "cc", solution.node_keys[1]: "ww"}, ["w"])
    (labels,) = label_evidence([evidence], HardAny())
    assert labels.first_error == 1
    agreed = agreed_labels(labels, agree_on_location({"monte_carlo": 1, "z3": 1}, AllAgree()))
    assert agreed is not None
    assert agreed.policy == "hard_consensus"
    assert agreed.sources == ("monte_carlo", "outcome", "z3")
    assert (agreed.marks, agreed.values) == (labels.marks, labels.values)
    assert agreed_labels(labels, agree_on_location({"monte_carlo": 1, "z3": 2}, AllAgree())) is None
    assert agreed_labels(labels, agree_on_location({"judge": 2, "z3": 2}, AllAgree())) is None


def test_agreement_is_purer_than_either_source():
    """Two sources that are each right in 7 of 10, independently: what they agree on scores higher than both."""
    rng = np.random.default_rng(0)
    truth = [int(t) for t in rng.integers(-1, 8, size=2000)]
    sources = {name: [t if rng.random() < 0.7 else int(rng.integers(-1, 8)) for t in truth] for name in "ab"}
    results = [agree_on_location({"a": a, "b": b}, AllAgree()) for a, b in zip(*sources.values(), strict=True)]
    kept = [(r.first_error, t) for r, t in zip(results, truth, strict=True) if r.kept]
    agreed = first_error_f1([said for said, _ in kept], [t for _, t in kept], resamples=0).f1
    alone = [first_error_f1(said, truth, resamples=0).f1 for said in sources.values()]
    assert agreed > 0.95
    assert max(alone) < 0.8
    # .7 + .3 / 9 right each: both right, or wrong in the same way.
    assert consensus_report(results).share_kept == pytest.approx(0.733**2 + 8 * (0.3 / 9) ** 2, abs=0.04)


def test_a_row_that_agrees_says_so(row_of):
    """The policy's name and the sources tell who agreed; a row that names another place, or none, does not stay."""
    row = row_of("+-", first_error=1)
    agreed = agree_on_location({"mc": 1, "judge": 1}, AllAgree())
    kept = agreed_row(row, agreed)
    assert kept is not None
    assert (kept.label_policy, kept.label_sources) == ("hard_consensus", ("monte_carlo", "judge", "mc"))
    assert (kept.labels, kept.values, kept.first_error) == (row.labels, row.values, 1)
    assert agreed_row(row_of("-+", first_error=0), agreed) is None
    assert agreed_row(row, agree_on_location({"mc": 1, "judge": 0}, AllAgree())) is None
