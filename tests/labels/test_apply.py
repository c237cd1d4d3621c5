"""Evidence to label records and rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.apply import is_labelled, label_evidence
from steplabel.labels.policies import POLICIES, HardAny, Soft
from steplabel.labels.rows import label_rows
from steplabel.schemas import AfterError, DataError, LabelTarget, RunInfo, StepMark
from steplabel.schemas.batches import LabelBatch

RUN = RunInfo(run_id="r", recipe="math_shepherd", code_version="0", config_hash="h")
P, N, U = StepMark.POSITIVE, StepMark.NEGATIVE, StepMark.UNKNOWN


@pytest.fixture(scope="module")
def wrong(records):
    """A wrong solution with a located error, an unasked step after it, and a tool's observation."""
    solution = records.solution("a\n", "tool: 1\n", "b\n", "c\n", "d", policy="writer@1", policy_licence="MIT")
    a, _, b, _, _ = solution.node_keys
    return records.evidence([solution], {a: "ccwu", b: "wwww"}, ["w"])


def test_labels_of_a_wrong_solution(wrong):
    """A record carries marks, values, bounds, counts, who spoke and what it cost, one entry a step."""
    (labels,) = label_evidence([wrong], HardAny())
    assert labels.solution_id == wrong.solutions[0].id
    assert (labels.policy, labels.policy_version, labels.target) == ("hard", "1", LabelTarget.REACHABLE)
    assert labels.marks == (P, U, N, U, N)
    assert labels.values == (2 / 3, None, 0.0, None, 0.0)
    assert labels.lows == (0.5, None, 0.0, None, 0.0)
    assert labels.highs == (0.75, None, 0.0, None, 0.0)
    assert labels.first_error == 2
    assert labels.after_error is AfterError.KEPT
    assert labels.confidence is None
    assert (labels.completer, labels.sources) == ("m", ("monte_carlo", "outcome"))
    assert (labels.rollouts, labels.successes, labels.unknowns) == (
        (4, 0, 4, 0, 0),
        (2, 0, 0, 0, 0),
        (1, 0, 0, 0, 0),
    )
    assert labels.tokens == 80
    assert is_labelled(labels)


def test_cut_shortens_everything(wrong):
    """Steps that the policy cuts are gone from every tuple, and from the row's steps."""
    (labels,) = label_evidence([wrong], HardAny(after_error=AfterError.CUT))
    per_step = ("marks", "values", "lows", "highs", "rollouts", "successes", "unknowns")
    assert {len(getattr(labels, name)) for name in per_step} == {3}
    (row,) = label_rows(wrong, [labels], RUN)
    assert row.steps == ("a\n", "tool: 1\n", "b\n")
    assert row.step_kinds == ("text", "observation", "text")
    assert row.labelable == (True, False, True)
    assert row.first_error == 2
    assert row.labels[row.first_error] == "-"


def test_gated_labels_rest_on_the_outcome(records):
    """A gated solution says that its final answer decided, and names no completer."""
    solution = records.solution("a", "b")
    evidence = records.evidence([solution], {solution.node_keys[0]: "wwww"}, ["c"])
    (gated,) = label_evidence([evidence], POLICIES["hard_gated"])
    assert (gated.marks, gated.values, gated.first_error) == ((P, P), (1.0, 1.0), -1)
    assert (gated.completer, gated.sources) == ("", ("outcome",))
    assert gated.rollouts == (4, 0), "the evidence stays visible"
    (plain,) = label_evidence([evidence], POLICIES["hard"])
    assert (plain.marks, plain.completer) == ((N, P), "m")


def test_nothing_known(records):
    """A solution without evidence gets a record that is unknown throughout, and is not labelled."""
    (labels,) = label_evidence([records.evidence([records.solution("a", "b")])], Soft())
    assert labels.marks == (U, U)
    assert labels.values == (None, None)
    assert (labels.first_error, labels.sources, labels.completer, labels.tokens) == (None, (), "", 0)
    assert not is_labelled(labels)
    assert label_evidence([], Soft()) == []


def test_pooled_completers_are_all_named(records):
    """Where several completers were counted together, the record names each."""
    solution = records.solution("a", "b")
    key = solution.node_keys[0]
    evidence = records.evidence([solution], {key: "c"}, ["w"], completer="z")
    evidence = evidence.merged(records.evidence([solution], {key: "w"}, ["w"], completer="a"))
    assert label_evidence([evidence], HardAny())[0].completer == "a, z"
    (alone,) = label_evidence([evidence], HardAny(), completer="a")
    assert (alone.completer, alone.rollouts) == ("a", (1, 0))


def test_a_mended_checker_changes_labels_not_evidence(records):
    """A newer checker's outcomes relabel old rollouts; naming the old one gives the old labels."""
    solution = records.solution("a", "b")
    evidence = records.evidence([solution], {solution.node_keys[0]: "www"}, ["w"])
    mended = records.outcome(evidence.rollouts[0].key, "c", version="2")
    rechecked = replace(evidence, outcomes=(*evidence.outcomes, mended))
    assert label_evidence([evidence], HardAny())[0].first_error == 0
    assert label_evidence([rechecked], HardAny())[0].first_error == 1
    assert label_evidence([rechecked], HardAny(), checker="answer")[0].first_error == 1
    assert label_evidence([rechecked], HardAny(), checker="none")[0].first_error is None


def test_records_follow_the_solutions(records, wrong):
    """Labels come record by record, solution by solution, each under its own id."""
    two = [records.solution("x", index=i) for i in range(2)]
    evidence = [wrong, records.evidence([]), records.evidence(two, ends="cw")]
    labels = label_evidence(evidence, HardAny())
    assert [record.solution_id for record in labels] == [s.id for e in evidence for s in e.solutions]
    assert [record.first_error for record in labels] == [2, -1, 0]


@given(st.lists(st.text("cwux", max_size=4), min_size=4, max_size=4), st.sampled_from(list(POLICIES)))
def test_merging_twice_changes_nothing(records, asked, name):
    """Labels are a function of the evidence as a set."""
    solution = records.solution("a", "tool: 1", "b", "c")
    evidence = records.evidence([solution], dict(zip(solution.node_keys, asked, strict=True)), ["w"])
    reversed_ = replace(evidence, rollouts=evidence.rollouts[::-1], outcomes=evidence.outcomes[::-1])
    labels = label_evidence([evidence], POLICIES[name])
    assert label_evidence([evidence.merged(reversed_)], POLICIES[name]) == labels
    assert label_evidence([reversed_.merged(evidence)], POLICIES[name]) == labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaving:
    """A real policy that cuts the first step, or forgets one."""

    name: str = "misbehaving"
    version: str = "1"
    target: LabelTarget = LabelTarget.VALUE
    after_error: AfterError = AfterError.CUT
    short: bool = False

    def __call__(self, batch) -> LabelBatch:
        labels = HardAny()(batch)
        if self.short:
            return replace(labels, marks=labels.marks[:-1])
        return replace(labels, kept=np.arange(batch.steps) > 0)


@pytest.mark.parametrize("short", [False, True], ids=["cuts the head", "forgets a step"])
def test_a_policy_that_breaks_its_word(wrong, short):
    """Cutting anything but a tail, or losing steps, is refused before a row could be misaligned."""
    with pytest.raises(DataError, match="misbehaving"):
        label_evidence([wrong], Misbehaving(short=short))


def test_a_policy_may_cut_whole_solutions(records):
    """A solution whose steps are all cut leaves an empty record, and the next one its own."""
    cut = [records.solution("a", "b"), records.solution("c", index=1)]

    @dataclass(frozen=True, slots=True, kw_only=True)
    class CutsFirst(Misbehaving):
        def __call__(self, batch) -> LabelBatch:
            return replace(HardAny()(batch), kept=batch.owner > 0)

    first, second = label_evidence([records.evidence(cut, ends="cc")], CutsFirst())
    assert (first.marks, second.marks) == ((), (P,))


def test_row(wrong, problem):
    """A row is self-contained: the problem's, solution's, outcome's, labels' and run's words, flat."""
    (labels,) = label_evidence([wrong], POLICIES["soft"])
    (row,) = label_rows(wrong, [labels], RUN, completer_licence="Apache-2.0")
    assert (row.problem_id, row.group_id, row.problem) == ("p1", "g1", problem.text)
    assert "".join(row.steps) == wrong.solutions[0].text
    assert row.labels == labels.marks
    assert (row.values, row.value_lows, row.value_highs) == (labels.values, labels.lows, labels.highs)
    assert (row.label_policy, row.label_target, row.label_sources) == (
        "soft",
        "value",
        ("monte_carlo", "outcome"),
    )
    assert (row.gold_answer, row.answer_type, row.final_answer) == ("4", "number", "4")
    assert (row.outcome, row.outcome_reason, row.checker) == ("wrong", "number", "answer@1")
    assert (row.policy_model, row.completer_model) == ("writer@1", "m")
    assert row.model_licences == ("MIT", "Apache-2.0")
    assert (row.domain, row.split, row.source, row.licence) == ("maths", "train", "made", "MIT")
    assert row.source_row == '{"a": 1}'
    assert (row.run_id, row.recipe, row.code_version, row.config_hash) == ("r", "math_shepherd", "0", "h")
    assert row.tokens == 80


@pytest.mark.parametrize(
    ("mine", "completers", "end", "expected"),
    [
        ("MIT", "MIT", "w", ("MIT",)),
        ("", "Apache-2.0", "w", ("Apache-2.0",)),
        ("MIT", "", "w", ("MIT",)),
        ("", "", "w", ()),
        ("MIT", "Apache-2.0", "", ("MIT", "Apache-2.0")),
    ],
    ids=["same", "writer's not known", "completer's not known", "neither", "never checked"],
)
def test_licences(records, mine, completers, end, expected):
    """Each model's licence stands once; what is not known is left out."""
    solution = records.solution("a", "b", policy_licence=mine)
    evidence = records.evidence([solution], {solution.node_keys[0]: "cw"}, [end])
    (row,) = label_rows(evidence, label_evidence([evidence], HardAny()), RUN, completer_licence=completers)
    assert row.model_licences == expected


def test_the_completers_licence_needs_its_word(records):
    """Where the outcome alone decided, no completer spoke, and its licence binds nobody."""
    evidence = records.evidence([records.solution("a", policy_licence="MIT")], ends="c")
    (row,) = label_rows(evidence, label_evidence([evidence], HardAny()), RUN, completer_licence="X")
    assert (row.model_licences, row.completer_model) == (("MIT",), "")


def test_row_without_gold_or_outcome(records, problem):
    """A problem without a gold answer and a solution never checked make a row all the same."""
    evidence = replace(records.evidence([records.solution("a")]), problem=replace(problem, gold=None))
    (row,) = label_rows(evidence, label_evidence([evidence], HardAny()), RUN)
    assert (row.gold_answer, row.answer_type, row.final_answer) == ("", "", None)
    assert (row.outcome, row.outcome_reason, row.checker) == ("unknown", "", "")
    assert row.first_error is None


def test_two_policies_two_rows(wrong):
    """One solution under two policies is two rows, in the order of the labels."""
    labels = [*label_evidence([wrong], POLICIES["soft"]), *label_evidence([wrong], POLICIES["hard"])]
    assert [row.label_policy for row in label_rows(wrong, labels, RUN)] == ["soft", "hard"]


def test_foreign_labels_are_refused(wrong, records):
    """Labels of a solution that is not there, or that has more marks than steps, are refused."""
    other = records.evidence([records.solution("z")], ends="c")
    with pytest.raises(DataError, match="no such solution"):
        label_rows(wrong, label_evidence([other], HardAny()), RUN)
    (labels,) = label_evidence([wrong], HardAny())
    swapped = replace(labels, solution_id=other.solutions[0].id)
    with pytest.raises(DataError, match="5 marks for 1 steps"):
        label_rows(other, [swapped], RUN)


def test_no_nan_leaves_the_room(wrong):
    """Absent numbers are None in records: NaN would become a value in Parquet and null in JSON."""
    for policy in POLICIES.values():
        (labels,) = label_evidence([wrong], policy)
        numbers = [*labels.values, *labels.lows, *labels.highs, labels.confidence]
        assert not any(isinstance(n, float) and math.isnan(n) for n in numbers)
