"""The named policies: what they are called, what they refuse, what they claim."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from steplabel.labels.policies import POLICIES, HardAny, LabelPolicy, Soft
from steplabel.schemas import AfterError, ConfigError, LabelTarget

EVIDENCE = (["8/8 . 2/8 0/6?2 . .", "4/8 0/8 1/8 .", ". 2/8 ."], ["wrong", "wrong", "right"])

EXPECTED = {
    "hard": "+++??-" "+-+-" "+++",
    "hard_gated": "+++??-" "+-+-" "+++",
    "hard_cut": "+++??-" "+-+-" "+++",
    "soft": "+++??-" "+-+-" "+++",
    "soft_gated": "+++??-" "+-+-" "+++",
    "soft_cut": "+++??-" "+-+-" "+++",
    "locate": "+++-??" "+-??" "+++",
    "math_shepherd_hard": "+++-?-" "+-+-" "+++",
    "math_shepherd_soft": "+++-?-" "+-+-" "+++",
    "qwen_hard": "+++-?-" "+-+-" "+++",
}  # fmt: skip


def test_every_policy_has_an_expectation():
    """The table below covers the registry, so a new policy is noticed here."""
    assert set(POLICIES) == set(EXPECTED)


@pytest.mark.parametrize("name", POLICIES)
def test_registry(name, batch_of, signs):
    """Each ready policy is registered under the name its rows carry, and marks as its name says."""
    policy: LabelPolicy = POLICIES[name]
    labels = policy(batch_of(*EVIDENCE))
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
    assert signs(copy(batch_of(*EVIDENCE))) == EXPECTED[name]


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
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_says_the_options(policy, name):
    """Two policies that label differently cannot share a name by accident."""
    assert policy.name == name


def test_targets():
    """Monte Carlo claims what it can see: hard says reachable, soft says value."""
    assert HardAny().target is LabelTarget.REACHABLE
    assert Soft().target is LabelTarget.VALUE


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
    ],
    ids=["one", "below zero", "nan", "unknown_as", "after_error", "none"],
)
def test_refused_options(make):
    """Options outside their range are refused at once, with the offending value in the message."""
    with pytest.raises(ConfigError, match=r"threshold=|unknown_as=|after_error="):
        make()


def test_words_from_a_command_line_will_do(batch_of):
    """`after_error` given as its word behaves as the word's enum."""
    labels = HardAny(after_error="cut")(batch_of(["0/8 . ."], ["wrong"]))
    assert labels.kept.tolist() == [True, False, False]
