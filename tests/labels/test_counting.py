"""Policies over counts of another kind, from records to labels."""

from __future__ import annotations

import pytest

from steplabel.labels.apply import label_evidence
from steplabel.labels.counting import Counted, ObservedScores, RolloutCounts, SiblingCounts, counting_of
from steplabel.labels.credit import MinForm
from steplabel.labels.estimation import HardAny, Soft
from steplabel.labels.gate import OutcomeGated
from steplabel.labels.policies import POLICIES, PROBE
from steplabel.labels.step_results import LastNumber
from steplabel.schemas import AfterError, ConfigError, LabelTarget, Observation, StepMark

P, N = StepMark.POSITIVE, StepMark.NEGATIVE


@pytest.fixture(scope="module")
def evidence(records):
    """Two samples that part after one step, with free rollouts and probed ones at the fork."""
    right, wrong = records.solution("a", "b = 4"), records.solution("a", "c = 5")
    fork = right.node_keys[0]
    return records.evidence([right, wrong], {fork: "cccc", (fork, PROBE): "cwww"}, "cw")


def test_policies_say_how_they_are_counted():
    """Free rollouts unless a policy says otherwise."""
    assert counting_of(Soft()) == RolloutCounts()
    assert counting_of(POLICIES["tempo"]) == SiblingCounts()
    assert counting_of(POLICIES["gigpo"]) == SiblingCounts(result=LastNumber())
    assert counting_of(POLICIES["vsrm"]) == RolloutCounts(probe=PROBE)
    assert counting_of(POLICIES["igpo"]) == ObservedScores(source="gold_logprob")


def test_one_record_three_ways(evidence):
    """The fork's value: 1 by its rollouts, 1/4 by forced answers, 1/2 by the samples that pass through it."""
    for policy, value, source in [
        (Soft(), 1.0, "monte_carlo"),
        (POLICIES["anytime"], 0.25, "monte_carlo"),
        (POLICIES["prefix_tree"], 0.5, "siblings"),
    ]:
        labels, _ = label_evidence([evidence], policy)
        assert labels.values[0] == value
        assert labels.sources == (source, "outcome")
        assert labels.policy == policy.name


def test_who_spoke(evidence):
    """Rollouts and probes name their completer; siblings have none, and cost nothing."""
    free, _ = label_evidence([evidence], Soft())
    probed, _ = label_evidence([evidence], POLICIES["anytime"])
    siblings, _ = label_evidence([evidence], POLICIES["prefix_tree"])
    assert (free.completer, free.tokens) == ("m", 40)
    assert (probed.completer, probed.tokens) == ("m", 40)
    assert (siblings.completer, siblings.tokens, siblings.rollouts) == ("", 0, (2, 1))


def test_another_completer_was_not_probed(evidence):
    """Of a completer that was not asked nothing is known but the outcome."""
    labels, _ = label_evidence([evidence], POLICIES["anytime"], completer="other")
    assert (labels.completer, labels.sources, labels.rollouts) == ("", ("outcome",), (0, 0))


def test_tempo_pays_at_the_fork_alone(records):
    """Where samples part the step's reward is what the branch is worth more; elsewhere it is 0."""
    solutions = [records.solution("a", "b", "c"), records.solution("a", "x", "y")]
    right, wrong = label_evidence([records.evidence(solutions, ends="cw")], POLICIES["tempo"])
    assert right.values == (0.0, 0.5, 0.0)
    assert wrong.values == (0.0, -0.5, 0.0)
    assert wrong.marks == (P, N, P)


def test_gigpo_compares_actions_from_equal_states(records):
    """Two samples come to 4 by different words; what each did next is compared with both outcomes."""
    solutions = [records.solution("2 + 2 = 4", "b"), records.solution("1 + 3 = 4", "c")]
    right, wrong = label_evidence([records.evidence(solutions, ends="cw")], POLICIES["gigpo"])
    assert right.values == (0.5, 0.5)
    assert wrong.values == (-0.5, -0.5)


def test_vsrm_rewards_the_change_of_forced_answers(records):
    """A = 0, 0, .5, 1 along the prefixes from the bare problem on: rewards .7 * .5, .5, .5."""
    solution = records.solution("a", "b", "c")
    keys = [(key, PROBE) for key in (records.problem.root_key, *solution.node_keys)]
    evidence = records.evidence([solution], dict(zip(keys, ("ww", "ww", "cw", "cc"), strict=True)), "c")
    (labels,) = label_evidence([evidence], POLICIES["vsrm"])
    assert labels.values == pytest.approx((0.35, 0.5, 0.5))


def test_scan_trusts_the_samples_where_nobody_asked(records):
    """Self-confidence by siblings: three of four are right, so the wrong one is labelled at the gate of .75."""
    solutions = [records.solution("a", "b", index=i) for i in range(3)] + [records.solution("a", "x", "y")]
    wrong = solutions[-1]
    asked = {wrong.node_keys[0]: "cccwww", wrong.node_keys[1]: "wwwwww"}
    labels = label_evidence([records.evidence(solutions, asked, "cccw")], POLICIES["scan"])
    assert labels[-1].marks == (P, N)
    assert labels[-1].values == (pytest.approx(0.5 / 0.75), 0.0)
    assert [one.values for one in labels[:3]] == [(1.0, 1.0)] * 3
    assert [one.sources for one in labels] == [("outcome",)] * 3 + [("monte_carlo", "outcome")]


def test_a_counted_policy_is_its_inner_one():
    """Target and what follows the error are the inner policy's; calling it is calling that."""
    policy = Counted(policy=HardAny(after_error=AfterError.CUT), counting=SiblingCounts())
    assert (policy.target, policy.after_error) == (LabelTarget.REACHABLE, AfterError.CUT)
    assert policy.name == "hard_cut_siblings"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda inner: Counted(policy=inner),
        lambda inner: MinForm(values_of=inner),
        lambda inner: OutcomeGated(labels_of=inner),
    ],
)
def test_one_way_of_counting(wrap):
    """A policy with a way of counting inside another would be counted as the outer one says: it is refused."""
    for name in ("prefix_tree", "mcts", "rest_mcts", "igpo"):
        with pytest.raises(ConfigError, match=f"{name} says how evidence is counted"):
            wrap(POLICIES[name])


def test_a_gate_over_siblings(evidence):
    """The other way round it works: the gate over the prefix tree's values."""
    gated = Counted(policy=OutcomeGated(), counting=SiblingCounts())
    right, wrong = label_evidence([evidence], gated)
    assert (right.values, right.sources) == ((0.5, 1.0), ("siblings", "outcome"))
    assert wrong.values == (0.0, 0.0)


def _says(subject, source, score, evidence=""):
    return Observation(subject=subject, source=source, source_version="1", score=score, evidence=evidence)


def test_who_spoke_by_scores(records):
    """The source alone is named, not the outcome; its completer by its own word, else by the rollouts at its nodes."""
    left, right = records.solution("a", "b"), records.solution("c", "d")
    (a, b), (c, _) = left.node_keys, right.node_keys
    said = (
        _says(a, "mcts", 0.5, '{"visits":3,"children":2,"ends":false}'),
        _says(b, "mcts", 0.0),
        _says(records.problem.root_key, "gold_logprob", 0.5, '{"completer":"scorer@1"}'),
        _says(a, "gold_logprob", 0.25, '{"completer":"scorer@1","lead":"Answer: "}'),
        _says(c, "mcts_route", None),
    )
    evidence = records.evidence([left, right], {a: "cw", c: "c"}, "wc", observations=said, completer="searcher@2")

    def spoke(name):
        return [(labels.sources, labels.completer) for labels in label_evidence([evidence], POLICIES[name])]

    assert spoke("mcts") == [(("mcts",), "searcher@2"), ((), "")]
    assert spoke("igpo") == [(("gold_logprob",), "scorer@1"), ((), "")]
    assert spoke("rest_mcts") == [((), ""), ((), "")]
    assert spoke("soft") == [(("monte_carlo", "outcome"), "searcher@2"), (("monte_carlo", "outcome"), "searcher@2")]


@pytest.mark.parametrize(
    "evidence", ["", "7", "[1]", "{", '{"completer":7}', '{"completer":""}', "[" * 10_000, '{"x":' + "[" * 100_000]
)
def test_evidence_that_names_no_completer(records, evidence):
    """Evidence is free text: what cannot be read names nobody, and stops nothing."""
    solution = records.solution("a")
    observations = (_says(solution.node_keys[0], "mcts", 1.0, evidence),)
    (labels,) = label_evidence([records.evidence([solution], observations=observations)], POLICIES["mcts"])
    assert (labels.sources, labels.completer, labels.values) == (("mcts",), "", (1.0,))
