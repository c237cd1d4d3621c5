"""GLoRe's triples and InT's prefixes from hand-made evidence."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels import HardAny, label_evidence
from steplabel.labels.curation import NoRefinement, RefinementTriple, intervention_prefixes, refinement_triples
from steplabel.schemas import ConfigError, DataError, Evidence, SentenceSteps

STEPS = ("right\n", "wrong\n", "answer 5")


@pytest.fixture
def solution(records):
    return records.solution(*STEPS)


@pytest.fixture
def made(records, solution):
    """Evidence of one wrong solution whose second step is wrong, and the labels it gives."""

    def build(after_right="ccw", after_wrong="ww", end="w", texts=None):
        asked = {solution.node_keys[0]: after_right, solution.node_keys[1]: after_wrong}
        evidence = records.evidence([solution], asked, [end])
        if texts is not None:
            rollouts = tuple(
                dataclasses.replace(r, text=texts[r.index]) if r.node_key == solution.node_keys[0] else r
                for r in evidence.rollouts
            )
            evidence = dataclasses.replace(evidence, rollouts=rollouts)
        return evidence, label_evidence([evidence], HardAny())

    return build


def relabelled(labels, first_error):
    return [dataclasses.replace(record, first_error=first_error) for record in labels]


def test_a_triple_by_hand(made, solution, problem):
    """The draft is the solution, the error its second step, the correction a right rollout from the first."""
    evidence, labels = made(after_right="wcw", texts=["no", "so 2\nanswer 4", "no"])
    found = refinement_triples(evidence, labels)
    (rollout,) = [r for r in evidence.rollouts if r.text == "so 2\nanswer 4"]
    assert found.without == ()
    assert found.triples == (
        RefinementTriple(
            problem_id="p1",
            solution_id=solution.id,
            problem=problem.text,
            draft="right\nwrong\nanswer 5",
            error_step=1,
            error_start=len("right\n"),
            prefix="right\n",
            continuation="so 2\nanswer 4",
            rollout=rollout.key,
            completer="m",
        ),
    )
    assert found.triples[0].corrected == "right\nso 2\nanswer 4"


def test_an_intervention_by_hand(made):
    """The wrong step is replaced by the first line of the correction; the rest stands beside it."""
    evidence, labels = made(after_right="c", texts=["so 2\nanswer 4"])
    found = intervention_prefixes(refinement_triples(evidence, labels).triples, evidence)
    (only,) = found.prefixes
    assert (only.prefix, only.wrong_step) == ("right\n", "wrong\n")
    assert (only.intervention, only.continuation) == ("so 2\n", "answer 4")
    assert found.rejects == ()


def test_the_first_step_is_wrong(records):
    """Then the prefix is empty, and corrections start at the problem itself."""
    solution = records.solution("wrong\n", "answer 5")
    asked = {records.problem.root_key: "c", solution.node_keys[0]: "w"}
    evidence = records.evidence([solution], asked, ["w"])
    labels = label_evidence([evidence], HardAny())
    assert labels[0].first_error == 0
    (triple,) = refinement_triples(evidence, labels).triples
    assert (triple.prefix, triple.error_start, triple.corrected) == ("", 0, "rollout 0")


@pytest.mark.parametrize(
    ("evidence_of", "first_error", "reason"),
    [
        ({}, -1, NoRefinement.NO_ERROR),
        ({}, None, NoRefinement.LOCATION_UNKNOWN),
        ({"end": "c"}, 1, NoRefinement.NOT_WRONG),
        ({"end": "x"}, 1, NoRefinement.NOT_WRONG),
        ({"end": ""}, 1, NoRefinement.NOT_WRONG),
        ({"after_right": "wux"}, 1, NoRefinement.NO_RIGHT_ROLLOUT),
        ({"after_right": "cc", "texts": ["", " \n"]}, 1, NoRefinement.NO_RIGHT_ROLLOUT),
        ({}, 2, NoRefinement.NO_RIGHT_ROLLOUT),
        ({"after_right": "cc", "texts": ["wrong\nno\nanswer 4", "wrong"]}, 1, NoRefinement.REPEATS_THE_ERROR),
    ],
    ids=[
        "clean",
        "unknown",
        "right",
        "timed out",
        "unchecked",
        "no right rollout",
        "blank",
        "none from there",
        "again",
    ],
)
def test_why_there_is_none(made, solution, evidence_of, first_error, reason):
    """Each solution without a triple is named with its reason: unknown is never wrong, nor right."""
    evidence, labels = made(**evidence_of)
    found = refinement_triples(evidence, relabelled(labels, first_error))
    assert found.triples == ()
    assert found.without == ((solution.id, reason),)


@pytest.mark.parametrize(
    ("steps", "text", "repeats"),
    [
        (("ok\n", "2+2=5\n", "so 5"), "2+2=5\nno, 4\nso 4", True),
        (("ok\n", "2+2=5\n", "so 5"), "\n2+2=5 \n\nno, 4", True),
        (("ok\n", "2+2=5\n", "so 5"), "2+2=5", True),
        (("ok\n", "2+2=5\n", "so 5"), "2+2=55\nso 4", False),
        (("ok\n", "2+2=5\n", "so 5"), "2+2=5 - 1\nso 4", False),
        (("ok\n", "2+2=5\n", "so 5"), "2+2=4\n2+2=5?\nso 4", False),
        (("ok\n", "so 5"), "so 5\nno, so 4", True),
        (("ok\n", "so 5"), "so 5 - 1 = 4", False),
        (("Ok. ", "It is 5. ", "So 5."), "It is 5. No, 4.", True),
        (("Ok. ", "It is 5. ", "So 5."), "It is 5.5. So 4.", False),
        (("Ok. ", "So 5."), "So 5. No, 4.", True),
        (("so 5",), "so 5\nno", True),
    ],
)
def test_a_correction_does_not_begin_with_the_wrong_step(records, steps, text, repeats):
    """It would teach the very step that it corrects; a step that merely begins alike is another one."""
    solution = records.solution(*steps)
    wrong = max(0, len(steps) - 2) if len(steps) != 2 else 1
    before = (records.problem.root_key, *solution.node_keys)[wrong]
    evidence = records.evidence([solution], {before: "c"}, ["w"])
    evidence = dataclasses.replace(
        evidence, rollouts=tuple(dataclasses.replace(rollout, text=text) for rollout in evidence.rollouts)
    )
    labels = relabelled(label_evidence([evidence], HardAny()), wrong)
    found = refinement_triples(evidence, labels)
    assert (found.triples == ()) is repeats
    assert found.without == (((solution.id, NoRefinement.REPEATS_THE_ERROR),) if repeats else ())


def test_other_corrections_take_the_place_of_those_that_repeat_the_error(made):
    """Whatever the draw says."""
    evidence, labels = made(after_right="ccc", texts=["wrong\nno", "so 2\nanswer 4", "wrong\nhm"])
    for seed in range(8):
        (triple,) = refinement_triples(evidence, labels, limit=3, seed=seed).triples
        assert triple.continuation == "so 2\nanswer 4"


def test_no_more_than_asked_for(made):
    """Different corrections up to the limit; equal texts come once."""
    evidence, labels = made(after_right="cccc", texts=["x", "y", "x", "z"])
    assert len(refinement_triples(evidence, labels).triples) == 1
    corrections = [t.continuation for t in refinement_triples(evidence, labels, limit=9).triples]
    assert sorted(corrections) == ["x", "y", "z"]


def test_drafts_from_rollouts(made, solution):
    """Wrong rollouts behind the wrong step are drafts of the same error; each draft gets another correction."""
    evidence, labels = made(after_right="cc", after_wrong="wxw")
    labels = relabelled(labels, 1)
    found = refinement_triples(evidence, labels, limit=3, rollout_drafts=True).triples
    assert [t.draft_rollout == "" for t in found] == [True, False, False]
    assert {t.draft for t in found} == {solution.text, "right\nwrong\nrollout 0", "right\nwrong\nrollout 2"}
    assert found[0].rollout != found[1].rollout
    assert all(t.draft[: t.error_start] == t.prefix and t.error_step == 1 for t in found)
    assert len(refinement_triples(evidence, labels, limit=99, rollout_drafts=True).triples) == 6
    assert len(intervention_prefixes(found, evidence).prefixes) == 1


def test_the_draw_is_the_seeds(made):
    """The order of the evidence makes no difference, the seed does."""
    evidence, labels = made(after_right="c" * 8)
    shuffled = dataclasses.replace(evidence, rollouts=evidence.rollouts[::-1], outcomes=evidence.outcomes[::-1])
    assert refinement_triples(shuffled, labels) == refinement_triples(evidence, labels)
    drawn = {refinement_triples(evidence, labels, seed=seed).triples[0].rollout for seed in range(20)}
    assert len(drawn) > 2


def test_equal_interventions_come_once(made):
    """Two corrections that begin alike are one intervention; another way to cut gives another first step."""
    evidence, labels = made(after_right="cc", texts=["So 2. Then 4.\nx", "So 2. Then 4.\ny"])
    triples = refinement_triples(evidence, labels, limit=2).triples
    assert len(triples) == 2
    (by_line,) = intervention_prefixes(triples, evidence).prefixes
    assert by_line.intervention == "So 2. Then 4.\n"
    (by_sentence,) = intervention_prefixes(triples, evidence, segmenter=SentenceSteps()).prefixes
    assert by_sentence.intervention == "So 2. "


def test_the_limit_is_one_of_interventions(made):
    """Corrections that begin alike use none of it up, and those that no step can hold do not either."""
    texts = ["So 2.\nx", "So 2.\ny", "bad\x00\nz", "Or 3.\nx", "Hm 4.\nx"]
    evidence, labels = made(after_right="ccccc", texts=texts)
    triples = refinement_triples(evidence, labels, limit=None).triples
    assert len(triples) == 5
    whole = intervention_prefixes(triples, evidence)
    assert {one.intervention for one in whole.prefixes} == {"So 2.\n", "Or 3.\n", "Hm 4.\n"}
    assert whole.rejects == (), "of the solution something can be said"
    for limit in (1, 2, 3, 4):
        assert intervention_prefixes(triples, evidence, limit=limit).prefixes == whole.prefixes[:limit]


def test_a_continuation_no_step_can_hold(made, solution):
    """Control characters make a reject with its reason, not an intervention and not a crash."""
    evidence, labels = made(after_right="c", texts=["so\x00 2"])
    found = intervention_prefixes(refinement_triples(evidence, labels).triples, evidence)
    assert found.prefixes == ()
    (reject,) = found.rejects
    assert (reject.record_id, reject.kind, reject.reason) == (solution.id, "solution", "unparsable")
    assert reject.excerpt == "'so\\x00 2'"


def test_nothing_in_nothing_out(problem):
    """No labels, no triples."""
    evidence = Evidence(problem=problem)
    assert refinement_triples(evidence, []).triples == ()
    assert intervention_prefixes([], evidence).prefixes == ()


def test_refused(made, problem):
    """Labels and triples of a solution that is not there, and a limit of none, are refused."""
    evidence, labels = made()
    empty = Evidence(problem=problem)
    with pytest.raises(DataError, match="has no such solution"):
        refinement_triples(empty, labels)
    with pytest.raises(DataError, match="has no such solution"):
        intervention_prefixes(refinement_triples(evidence, labels).triples, empty)
    with pytest.raises(ConfigError, match="limit=0"):
        refinement_triples(evidence, labels, limit=0)
    with pytest.raises(ConfigError, match="limit=0"):
        intervention_prefixes([], evidence, limit=0)


@settings(deadline=None)
@given(st.text("cwux", max_size=6), st.text("cwux", max_size=6), st.sampled_from(["c", "w", "x"]), st.integers(1, 4))
def test_what_every_triple_promises(records, after_right, after_wrong, end, limit):
    """A triple's draft is wrong, its correction right, and both begin with the prefix before the error."""
    solution = records.solution(*STEPS)
    asked = {solution.node_keys[0]: after_right, solution.node_keys[1]: after_wrong}
    evidence = records.evidence([solution], asked, [end])
    labels = label_evidence([evidence], HardAny())
    found = refinement_triples(evidence, labels, limit=limit, rollout_drafts=True)
    ends = {o.subject: o.outcome for o in evidence.outcomes}
    for triple in found.triples:
        assert ends[triple.rollout] == "correct"
        assert ends[triple.draft_rollout or solution.id] == "wrong"
        assert triple.draft.startswith(triple.prefix)
        assert triple.corrected.startswith(solution.prefix(triple.error_step))
        assert triple.error_step == labels[0].first_error
    assert len(found.triples) <= limit
    assert bool(found.triples) != bool(found.without)
