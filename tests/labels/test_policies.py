"""The named policies: what they are called, what they refuse, what they claim."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from steplabel.labels.advantage import GroupAdvantage, ProcessAdvantage, StepwiseReward
from steplabel.labels.counting import Counted, RolloutCounts, SiblingCounts
from steplabel.labels.credit import MinForm
from steplabel.labels.estimates import Ending
from steplabel.labels.gate import OutcomeGated
from steplabel.labels.policies import NAMED_BY_OPTIONS, POLICIES, HardAbove, HardAny, LabelPolicy, Soft, reads_routes
from steplabel.labels.progress import RelativeProgress
from steplabel.labels.routes import RouteValue
from steplabel.labels.scan import Scan
from steplabel.labels.scored import ScoredGain, ScoredValue
from steplabel.labels.step_results import LastNumber
from steplabel.schemas import AfterError, ConfigError, LabelTarget

EVIDENCE = (
    ["8/8 . 2/8 0/6?2 . .", "4/8 0/8 1/8 .", ". 2/8 ."],
    ["wrong", "wrong", "right"],
    ["6/8", "6/8", "."],
)
SCORES = {
    "scores": {
        "mcts": "1 .5 0 ? ? 0  .5 .25 0 0  ? 1 1",
        "mcts_route": ".2 .4 .6 .4 ? ?  0 ? ? ?  .33 .67 1",
        "omegaprm": ".5 .5 .25 0 ? ?  ? 0 ? ?  ? ? ?",
        "gold_logprob": ".5 .5 .25 .75 ? ?  .1 .2 .3 ?  .2 .1 ?",
    },
    "root_scores": {"gold_logprob": ".5 .2 ?"},
    "verdicts": {
        "logic": "+ + - + ? ?  - + + +  + + +",
        "arithmetic": "+ ? ? ? - ?  - ? ? ?  ? ? ?",
        "z3_entailment": "? ? - + + ?  + ? ? ?  ? + +",
    },
}

EXPECTED = {
    "hard": "+++??-" "+-+-" "+++",
    "hard_gated": "+++??-" "+-+-" "+++",
    "hard_cut": "+++??-" "+-+-" "+++",
    "hard_forced_end": "+++??-" "+-+-" "+++",
    "hard_above_0.5": "+?--?-" "----" "?-+",
    "soft": "+++??-" "+-+-" "+++",
    "soft_gated": "+++??-" "+-+-" "+++",
    "soft_cut": "+++??-" "+-+-" "+++",
    "soft_forced_end": "+++??-" "+-+-" "+++",
    "locate": "+++-??" "+-??" "+++",
    "math_shepherd_hard": "+++-?-" "+-+-" "+++",
    "math_shepherd_soft": "+++-?-" "+-+-" "+++",
    "qwen_hard": "+++-?-" "+-+-" "+++",
    "scan": "+++-?-" "+-+-" "???",
    "genprm": "+??---" "----" "??+",
    "genprm_difference": "+??---" "----" "??+",
    "pav": "+??-??" "--+-" "??+",
    "pure": "+++-?-" "+-+-" "+++",
    "gra": "??????" "????" "+++",
    "prefix_tree": "+++-?-" "+-+-" "+++",
    "tempo": "+??-??" "--+-" "??+",
    "gigpo": "--?-+?" "--+-" "??+",
    "vsrm": "+??-??" "--+-" "??+",
    "anytime": "+++-?-" "+-+-" "+++",
    "mcts": "++-??-" "++--" "?++",
    "rest_mcts": "+++-??" "????" "+++",
    "omegaprm": "+?+-??" "?-??" "???",
    "omegaprm_hard": "+?+-??" "?-??" "???",
    "igpo": "++-+??" "-++?" "?-?",
    "formalised": "??????" "????" "???",
    "fover": "++-+??" "-+++" "+++",
    "refuted": "??-?-?" "-???" "???",
}  # fmt: skip


def test_every_policy_has_an_expectation():
    """The table below covers the registry, so a new policy is noticed here."""
    assert set(POLICIES) == set(EXPECTED)


@pytest.mark.parametrize("name", POLICIES)
def test_registry(name, batch_of, signs):
    """Each ready policy is registered under the name its rows carry, and marks as its name says."""
    policy: LabelPolicy = POLICIES[name]
    labels = policy(batch_of(*EVIDENCE, **SCORES))
    assert policy.name == name
    assert policy.version
    assert signs(labels) == EXPECTED[name]
    assert labels.kept.all() == (policy.after_error != AfterError.CUT)


@pytest.mark.parametrize("name", POLICIES)
def test_policies_travel(name, batch_of, signs):
    """Policies are values: equal, hashable, and the same after a journey to a worker."""
    policy = POLICIES[name]
    copy = pickle.loads(pickle.dumps(policy))
    assert copy == policy
    assert hash(copy) == hash(policy)
    assert signs(copy(batch_of(*EVIDENCE, **SCORES))) == EXPECTED[name]


@pytest.mark.parametrize(
    ("policy", "name"),
    [
        (HardAny(), "hard"),
        (HardAny(gate_outcome=True, after_error=AfterError.CUT), "hard_gated_cut"),
        (HardAny(unknown_as="wrong"), "hard_unanswered_wrong"),
        (Soft(threshold=0.5), "soft_above_0.5"),
        (Soft(threshold=0.25, after_error=AfterError.NEGATIVE), "soft_above_0.25_negative"),
        (Soft(name="mine", threshold=0.5), "mine"),
        (dataclasses.replace(HardAny(), name="", gate_outcome=True), "hard_gated"),
        (HardAbove(threshold=0.25), "hard_above_0.25"),
        (HardAny(ending=Ending.IGNORED), "hard_ignored_end"),
        (Scan(window=1, min_confidence=0.5, unknown_as="unknown"), "scan_confidence_0.5_window_1_unanswered_unknown"),
        (RelativeProgress(), "progress_ratio"),
        (RelativeProgress(form="difference", threshold=0.0), "progress_difference_from_0"),
        (ProcessAdvantage(), "advantage_best_of_4"),
        (ProcessAdvantage(best_of=1, unknown_as="wrong"), "advantage_unanswered_wrong"),
        (StepwiseReward(), "stepwise_reward"),
        (StepwiseReward(decay=0.5, lookahead=2), "stepwise_reward_decay_0.5_within_2"),
        (GroupAdvantage(unknown_as="wrong"), "group_advantage_unanswered_wrong"),
        (MinForm(values_of=Soft(gate_outcome=True), temperature=0.5), "min_form_soft_gated_at_0.5"),
        (OutcomeGated(labels_of=ProcessAdvantage()), "if_right_advantage_best_of_4"),
        (ScoredValue(source="mcts"), "scored_mcts"),
        (ScoredValue(source="judge", target=LabelTarget.CORRECT, threshold=0.5), "scored_judge_correct_above_0.5"),
        (ScoredValue(source="omegaprm", after_error=AfterError.CUT), "scored_omegaprm_cut"),
        (ScoredGain(), "score_gain_gold_logprob"),
        (ScoredGain(source="answer_probe"), "score_gain_answer_probe"),
        (RouteValue(), "route_value_mcts_route"),
        (Counted(counting=RolloutCounts(probe="So:")), "soft_probed"),
        (Counted(counting=RolloutCounts()), "soft"),
        (Counted(policy=HardAny(), counting=SiblingCounts()), "hard_siblings"),
        (Counted(counting=SiblingCounts(result=LastNumber())), "soft_siblings_by_result"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_says_the_options(policy, name):
    """Two policies that label differently cannot share a name by accident."""
    assert policy.name == name


def test_targets():
    """Monte Carlo claims what it can see: hard says reachable, soft says value, differences say progress."""
    scored = ScoredValue(source="omegaprm", target=LabelTarget.REACHABLE)
    reachable = (HardAny(), HardAbove(), Counted(policy=HardAny()), OutcomeGated(labels_of=HardAny()), scored)
    value = (Soft(), Scan(), Counted(), OutcomeGated(), ScoredValue(source="mcts"), RouteValue())
    progress = (RelativeProgress(), ProcessAdvantage(), StepwiseReward(), GroupAdvantage(), MinForm(), ScoredGain())
    assert {policy.target for policy in reachable} == {LabelTarget.REACHABLE}
    assert {policy.target for policy in value} == {LabelTarget.VALUE}
    assert {policy.target for policy in progress} == {LabelTarget.PROGRESS}


def test_every_ready_policy_names_itself():
    """Whoever changes a ready policy's option empties its name, and it finds one that says the option."""
    for policy in POLICIES.values():
        assert isinstance(policy, NAMED_BY_OPTIONS)
        assert dataclasses.replace(policy, name="").name


def test_derived_names_differ():
    """Without the names that papers gave them, no two ready policies would share one."""
    derived = [dataclasses.replace(policy, name="").name for policy in POLICIES.values()]
    assert len(set(derived)) == len(derived)


def test_the_registry_is_closed():
    """The registry cannot be changed from outside."""
    with pytest.raises(TypeError):
        POLICIES["mine"] = HardAny()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Soft(threshold=1.0),
        lambda: Soft(threshold=-0.1),
        lambda: Soft(threshold=float("nan")),
        lambda: HardAny(unknown_as="right"),
        lambda: HardAny(after_error="dropped"),
        lambda: Soft(after_error=None),
        lambda: HardAbove(threshold=1.5),
        lambda: HardAny(ending="never"),
        lambda: Scan(window=-1),
        lambda: Scan(min_confidence=1.0),
        lambda: RelativeProgress(form="product"),
        lambda: RelativeProgress(threshold=float("inf")),
        lambda: ProcessAdvantage(best_of=0),
        lambda: StepwiseReward(decay=1.5),
        lambda: StepwiseReward(lookahead=-1),
        lambda: GroupAdvantage(unknown_as="right"),
        lambda: MinForm(temperature=0.0),
        lambda: MinForm(temperature=float("nan")),
        lambda: ScoredValue(source=""),
        lambda: ScoredValue(source="mcts", threshold=1.0),
        lambda: ScoredValue(source="mcts", target=LabelTarget.PROGRESS),
        lambda: ScoredValue(source="mcts", target="likely"),
        lambda: ScoredValue(source="mcts", after_error="dropped"),
        lambda: ScoredGain(source=""),
        lambda: RouteValue(source=""),
    ],
)
def test_refused_options(make):
    """Options outside their range are refused at once, with the offending value in the message."""
    with pytest.raises(ConfigError, match=r"=.* must"):
        make()


def test_words_from_a_command_line_will_do(batch_of):
    """`after_error` given as its word behaves as the word's enum."""
    labels = HardAny(after_error="cut")(batch_of(["0/8 . ."], ["wrong"]))
    assert labels.kept.tolist() == [True, False, False]


def test_what_reads_routes() -> None:
    """Of the ready views ReST-MCTS*'s alone; whoever else reads its source, or reads another by its rule, does too."""
    assert [name for name, policy in POLICIES.items() if reads_routes(policy)] == ["rest_mcts"]
    others = (ScoredValue(source="mcts_route"), ScoredGain(source="mcts_route"), RouteValue(source="other"))
    assert all(map(reads_routes, others))
