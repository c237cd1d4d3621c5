"""Strategies for every record of the vocabulary, and a labelled row to start tests from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from steplabel.schemas import (
    AfterError,
    AnswerType,
    CheckedOutcome,
    ContentPart,
    Evidence,
    FinishReason,
    GoldAnswer,
    GoldSteps,
    LabelRow,
    LabelTarget,
    Message,
    ModelIdentity,
    Node,
    Observation,
    Outcome,
    PartKind,
    Problem,
    Reject,
    Role,
    Rollout,
    RunInfo,
    SamplingParams,
    Solution,
    SolutionSource,
    Step,
    StepKind,
    StepLabels,
    StepMark,
    Tool,
    UnitTest,
    Verdict,
    make_solution,
)

# Properties are about values, not time: a busy machine must not fail them.
settings.register_profile("schemas", deadline=None)
settings.load_profile("schemas")

# What may enter: no lone surrogates, no control characters but white space. All line ends are frequent.
_CHARACTERS = st.one_of(
    st.sampled_from("ab1. \t\n\r\x0b\x0c\x85\u2028\u2029=\\$*"),
    st.characters(blacklist_categories=("Cs", "Cc")),
)
TEXTS = st.text(_CHARACTERS, max_size=20)
WORDS = TEXTS.filter(str.strip)
INTS = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(0, 2**40)
UNIT = st.floats(0, 1)
IDS = st.text("0123456789abcdef", min_size=1, max_size=6)


def _tuples(of: SearchStrategy[Any], size: int | None = None) -> SearchStrategy[Any]:
    low, high = (0, 4) if size is None else (size, size)
    return st.lists(of, min_size=low, max_size=high).map(tuple)


def _parts() -> SearchStrategy[ContentPart]:
    image = st.builds(ContentPart, kind=st.just(PartKind.IMAGE), text=TEXTS, sha256=IDS, media_type=TEXTS, uri=TEXTS)
    return st.one_of(st.builds(ContentPart, text=TEXTS), image)


def _labels(count: int) -> SearchStrategy[StepLabels]:
    per_step = _tuples(st.none() | UNIT, count)
    return st.builds(
        StepLabels,
        solution_id=IDS,
        policy=WORDS,
        policy_version=TEXTS,
        target=st.sampled_from(LabelTarget),
        marks=_tuples(st.sampled_from(StepMark), count),
        values=per_step,
        lows=per_step,
        highs=per_step,
        first_error=st.none() | st.integers(-1, count - 1),
        after_error=st.sampled_from(AfterError),
        confidence=st.none() | UNIT,
        completer=TEXTS,
        sources=_tuples(WORDS),
        rollouts=_tuples(COUNTS, count),
        successes=_tuples(COUNTS, count),
        unknowns=_tuples(COUNTS, count),
        tokens=COUNTS,
    )


def _rows(count: int) -> SearchStrategy[LabelRow]:
    """A row whose text fields hold anything, whose lists have one entry a step."""
    by_type: Mapping[str, SearchStrategy[Any]] = {
        "str": TEXTS,
        "int": COUNTS,
        "str | None": st.none() | TEXTS,
        "float | None": st.none() | UNIT,
        "int | None": st.none() | st.integers(-1, count - 1),
        "AfterError": st.sampled_from(AfterError),
        "LabelTarget": st.sampled_from(LabelTarget),
        "tuple[str, ...]": _tuples(TEXTS, count),
        "tuple[int, ...]": _tuples(COUNTS, count),
        "tuple[bool, ...]": _tuples(st.booleans(), count),
        "tuple[StepMark, ...]": _tuples(st.sampled_from(StepMark), count),
        "tuple[float | None, ...]": _tuples(st.none() | UNIT, count),
    }
    return st.builds(LabelRow, **{f.name: by_type[str(f.type)] for f in fields(LabelRow)})


def _build() -> dict[type, SearchStrategy[Any]]:
    sampling = st.builds(
        SamplingParams,
        temperature=st.floats(0, 10),
        top_p=st.floats(0.01, 1),
        top_k=st.integers(0, 1000),
        min_p=UNIT,
        max_tokens=st.integers(1, 10**6),
        stop=_tuples(st.text(_CHARACTERS, min_size=1, max_size=4)),
        include_stop=st.booleans(),
        repetition_penalty=st.floats(0.1, 3),
    )
    step = st.builds(
        Step,
        text=st.text(_CHARACTERS, min_size=1, max_size=20),
        kind=st.sampled_from(StepKind),
        labelable=st.booleans(),
        token_end=st.none() | COUNTS,
    )
    gold = st.builds(GoldAnswer, text=WORDS, type=st.sampled_from(AnswerType), chance=UNIT)
    message = st.builds(Message, role=st.sampled_from(Role), parts=_tuples(_parts()), name=TEXTS, tool_call_id=TEXTS)
    tool = st.builds(Tool, name=WORDS, description=TEXTS, parameters_json=WORDS)
    test = st.builds(UnitTest, code=WORDS, name=TEXTS)
    problem = st.builds(
        Problem,
        id=WORDS,
        text=WORDS,
        gold=st.none() | gold,
        messages=_tuples(message),
        reference_solution=TEXTS,
        tests=_tuples(test),
        tools=_tuples(tool),
        domain=TEXTS,
        group_id=TEXTS,
        split=TEXTS,
        source=TEXTS,
        licence=TEXTS,
        source_row=TEXTS,
    )
    solution = st.builds(
        make_solution,
        problem,
        st.lists(step, min_size=1, max_size=4).map(tuple),
        policy=TEXTS,
        policy_licence=TEXTS,
        source=st.sampled_from(SolutionSource),
        sampling=st.none() | sampling,
        seed=INTS,
        index=COUNTS,
        token_ids=_tuples(COUNTS),
        finish_reason=TEXTS,
        final_answer=st.none() | TEXTS,
    )
    rollout = st.builds(
        Rollout,
        key=IDS,
        node_key=IDS,
        problem_id=IDS,
        completer=TEXTS,
        sampling=sampling,
        seed=INTS,
        index=COUNTS,
        text=TEXTS,
        finish_reason=st.sampled_from(FinishReason),
        prompt_tokens=COUNTS,
        completion_tokens=COUNTS,
        cached_tokens=COUNTS,
        token_ids=_tuples(COUNTS),
    )
    outcome = st.builds(
        CheckedOutcome,
        subject=IDS,
        checker=st.sampled_from(["a", "b"]),
        checker_version=st.just("1"),
        outcome=st.sampled_from(Outcome),
        reason=TEXTS,
        answer=st.none() | TEXTS,
    )
    observation = st.builds(
        Observation,
        subject=IDS,
        source=WORDS,
        source_version=TEXTS,
        verdict=st.sampled_from(Verdict),
        score=st.none() | UNIT,
        reason=TEXTS,
        evidence=TEXTS,
        tool_version=TEXTS,
        budget=TEXTS,
        cost_tokens=COUNTS,
    )
    return {
        SamplingParams: sampling,
        ModelIdentity: st.builds(ModelIdentity, **{f.name: TEXTS for f in fields(ModelIdentity)}),
        Step: step,
        ContentPart: _parts(),
        GoldAnswer: gold,
        Message: message,
        Tool: tool,
        UnitTest: test,
        Problem: problem,
        Solution: solution,
        Node: st.builds(Node, key=IDS, parent_key=IDS, problem_id=IDS, step=step, depth=st.integers(1, 99)),
        Rollout: rollout,
        CheckedOutcome: outcome,
        Observation: observation,
        Reject: st.builds(Reject, **{f.name: TEXTS for f in fields(Reject)}),
        RunInfo: st.builds(RunInfo, **{f.name: TEXTS for f in fields(RunInfo)}),
        StepLabels: st.integers(1, 5).flatmap(_labels),
        LabelRow: st.integers(1, 5).flatmap(_rows),
        GoldSteps: st.integers(1, 5).flatmap(
            lambda count: st.builds(
                GoldSteps,
                id=WORDS,
                problem=WORDS,
                steps=_tuples(WORDS, count),
                first_error=st.none() | st.integers(-1, count - 1),
                generator=TEXTS,
                final_answer_correct=st.none() | st.booleans(),
                source=TEXTS,
            )
        ),
        Evidence: st.builds(
            Evidence,
            problem=problem,
            solutions=_tuples(solution),
            rollouts=_tuples(rollout),
            outcomes=_tuples(outcome),
            observations=_tuples(observation),
        ),
    }


@pytest.fixture(scope="session")
def records() -> Mapping[type, SearchStrategy[Any]]:
    """A strategy for each record type."""
    return _build()


@pytest.fixture(scope="session")
def texts() -> SearchStrategy[str]:
    """Solution texts that may enter: never blank, full of line ends of every kind."""
    return st.text(_CHARACTERS, min_size=1, max_size=120).filter(str.strip)


@pytest.fixture(scope="session")
def label_row() -> Callable[..., LabelRow]:
    """Make a row of three steps, + + -, with any field replaced."""
    base = LabelRow(
        problem_id="p1",
        group_id="g1",
        solution_id="s1",
        problem="What is 2 + 3?",
        steps=("Take 2.\n", "  Add 3.\n\n", "That is 6."),
        labels=(StepMark.POSITIVE, StepMark.POSITIVE, StepMark.NEGATIVE),
        values=(1.0, 0.5, 0.0),
        value_lows=(1.0, 0.5, 0.0),
        value_highs=(1.0, 0.5, 0.25),
        first_error=2,
        after_error=AfterError.CUT,
        confidence=None,
        step_kinds=("text", "text", "text"),
        labelable=(True, True, True),
        rollouts=(8, 8, 8),
        successes=(8, 4, 0),
        unknowns=(0, 0, 2),
        tokens=123,
        label_policy="hard",
        label_policy_version="1",
        label_target=LabelTarget.REACHABLE,
        label_sources=("monte_carlo",),
        gold_answer="5",
        answer_type="number",
        final_answer="6",
        outcome="wrong",
        outcome_reason="exact",
        checker="answers",
        solution_source="sampled",
        policy_model="policy@1",
        completer_model="completer@1",
        model_licences=("Apache-2.0",),
        domain="math",
        split="train",
        source="made",
        licence="MIT",
        source_row="",
        run_id="r1",
        recipe="demo",
        code_version="0",
        config_hash="c1",
    )
    return lambda **changes: replace(base, **changes)
