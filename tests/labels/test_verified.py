"""Labels from verifiers' verdicts, by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from steplabel.labels.apply import label_evidence
from steplabel.labels.counting import ObservedVerdicts, counting_of
from steplabel.labels.policies import POLICIES
from steplabel.labels.verified import Verified
from steplabel.schemas import AfterError, ConfigError, Observation, StepMark, Verdict
from steplabel.schemas.batches import EvidenceBatch

LOGIC = Verified(sources=("logic",), proves=True)
SUMS = Verified(sources=("sums", "solver"))

CASES = {
    # name: (policy, verdicts by source, marks, values, first error)
    "a proof": (LOGIC, {"logic": "++-+"}, "++-+", [1, 1, 0, 1], 2),
    "a whole proof": (LOGIC, {"logic": "++++"}, "++++", [1, 1, 1, 1], -1),
    "silence hides the first error": (LOGIC, {"logic": "+?-+"}, "+?-+", [1, None, 0, 1], -2),
    "a sum that holds proves no step": (SUMS, {"sums": "++-+"}, "??-?", [None, None, 0, None], -2),
    "a sum that fails at the front": (SUMS, {"sums": "-+++"}, "-???", [0, None, None, None], 0),
    "either may refute": (SUMS, {"sums": "+?+?", "solver": "-??-"}, "-??-", [0, None, None, 0], 0),
    "nobody spoke": (SUMS, {}, "????", [None] * 4, -2),
    "others are not heard": (LOGIC, {"sums": "----"}, "????", [None] * 4, -2),
}


def batch(batch_of, verdicts: Mapping[str, str], outcome: str = "open") -> EvidenceBatch:
    said = {source: " ".join(words) for source, words in verdicts.items()}
    return batch_of(["8/8 0/8 . ."], [outcome], verdicts=said)


@pytest.mark.parametrize("outcome", ["right", "wrong", "open"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_by_hand(batch_of, signs, case, outcome):
    """Neither rollouts nor the outcome have a say."""
    policy, verdicts, marks, values, first_error = case
    labels = policy(batch(batch_of, verdicts, outcome))
    assert signs(labels) == marks
    np.testing.assert_array_equal(labels.values, [math.nan if v is None else v for v in values])
    assert labels.first_error.tolist() == [first_error]
    assert not labels.by_outcome.any()


def test_after_error(batch_of, signs):
    """What follows the first "-" is treated as the option says."""
    given = batch(batch_of, {"logic": "+-+-"})
    assert signs(replace(LOGIC, after_error=AfterError.NEGATIVE, name="")(given)) == "+---"
    assert replace(LOGIC, after_error=AfterError.CUT, name="")(given).kept.tolist() == [True, True, False, False]


@pytest.mark.parametrize("sources", [(), ("",), ("logic", "")], ids=str)
def test_no_source_is_refused(sources):
    """There is nobody to listen to."""
    with pytest.raises(ConfigError, match="sources"):
        Verified(sources=sources)


def test_names_say_the_options():
    """Two policies that label differently have different names."""
    policies = [LOGIC, SUMS, Verified(sources=("logic",)), Verified(sources=("logic",), after_error=AfterError.CUT)]
    assert [policy.name for policy in policies] == [
        "proved_logic",
        "refuted_sums_solver",
        "refuted_logic",
        "refuted_logic_cut",
    ]
    assert POLICIES["fover"].name == "fover"


def test_records_to_labels(records):
    """Rows name the verifiers, and no completer, though rollouts stand beside."""
    solution = records.solution("a\n", "b\n", "c\n")
    a, b, _ = solution.node_keys
    observations = tuple(
        Observation(subject=key, source="logic", source_version="1", verdict=verdict)
        for key, verdict in ((a, Verdict.HOLDS), (b, Verdict.FAILS))
    )
    evidence = records.evidence([solution], {a: "cccc"}, "c", observations=observations)
    (labels,) = label_evidence([evidence], LOGIC)
    assert labels.marks == (StepMark.POSITIVE, StepMark.NEGATIVE, StepMark.UNKNOWN)
    assert labels.first_error == 1
    assert labels.sources == ("logic",)
    assert not labels.completer
    assert counting_of(LOGIC) == ObservedVerdicts(sources=("logic",))
