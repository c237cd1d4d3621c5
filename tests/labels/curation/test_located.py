"""The first error as a verifier sees it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from steplabel.labels import count_evidence
from steplabel.labels.curation import AllAgree, agree_on_location, verdict_first_errors
from steplabel.schemas import ConfigError, DataError, Observation, Verdict

SIGNS = {"h": 1, "f": -1, ".": 0, "o": 0}


@pytest.fixture
def verdicts(batch_of):
    """Batch from lines like "h.fo": holds, silent, fails, tool observation."""

    def build(*lines):
        batch = batch_of([" ".join("o" if c == "o" else "." for c in line) for line in lines], ["wrong"] * len(lines))
        return dataclasses.replace(batch, verdicts={"z3": np.array([SIGNS[c] for c in "".join(lines)], dtype=np.int64)})

    return build


@pytest.mark.parametrize(
    ("line", "lenient", "certain", "none_fails"),
    [
        ("hhf", 2, 2, 2),
        (".hf", 2, None, 2),
        ("hff", 1, 1, 1),
        ("hof", 2, 2, 2),
        ("hhh", -1, -1, -1),
        ("hoh", -1, -1, -1),
        ("h.h", None, None, -1),
        ("...", None, None, None),
        ("ooo", None, None, None),
        ("f", 0, 0, 0),
    ],
)
def test_readings_by_hand(verdicts, line, lenient, certain, none_fails):
    """The first failing step is the location; no failing step is a clean solution only as far as asked for."""
    batch = verdicts(line)
    assert verdict_first_errors(batch, "z3") == [lenient]
    assert verdict_first_errors(batch, "z3", certain=True) == [certain]
    assert verdict_first_errors(batch, "z3", clean_if="none_fails") == [none_fails]


def test_each_solution_for_itself(verdicts):
    """Positions are counted within each solution; a source that never spoke knows nothing."""
    assert verdict_first_errors(verdicts("hf", "hh", ".f."), "z3") == [1, -1, 1]
    assert verdict_first_errors(verdicts("hf", "hh"), "arithmetic") == [None, None]
    assert verdict_first_errors(verdicts(), "z3") == []


def test_a_failing_observation_is_no_error(batch_of):
    """A verdict about tool output is not one about what the policy wrote."""
    batch = batch_of([". o ."], ["wrong"])
    batch = dataclasses.replace(batch, verdicts={"z3": np.array([1, -1, 1], dtype=np.int64)})
    assert verdict_first_errors(batch, "z3") == [-1]


def test_from_evidence_to_consensus(records):
    """A verifier's observations agree with Monte Carlo on the step both point at."""
    solution = records.solution("a\n", "b\n", "c\n")
    observation = Observation(
        subject=solution.node_keys[1], source="arithmetic", source_version="1", verdict=Verdict.FAILS
    )
    evidence = records.evidence([solution], ends=["w"], observations=(observation,))
    (located,) = verdict_first_errors(count_evidence([evidence]), "arithmetic")
    assert agree_on_location({"mc": 1, "arithmetic": located}, AllAgree()).first_error == 1


def test_refused(verdicts):
    """An unknown reading, and verdicts that are none, are refused."""
    with pytest.raises(ConfigError, match="clean_if='maybe'"):
        verdict_first_errors(verdicts("h"), "z3", clean_if="maybe")
    batch = dataclasses.replace(verdicts("h"), verdicts={"z3": np.array([2], dtype=np.int64)})
    with pytest.raises(DataError, match="verdicts of z3 hold 2"):
        verdict_first_errors(batch, "z3")
