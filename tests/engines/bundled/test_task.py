"""Problems: drawn for ever the same, described completely by their text, and never on both sides of the partition."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.engines.bundled import task
from steplabel.engines.bundled.task import (
    HELD_OUT_PARTS,
    LARGEST,
    MOST_EVENTS,
    WEIGHTS,
    ChainProblem,
    Event,
    TaskError,
    apply_operation,
    format_answer,
    format_step,
    generate_problem,
    parse_problem,
    seeded,
    solve,
)
from steplabel.engines.bundled.wording import ITEMS, KEYS, NAMES, OPENINGS, QUESTIONS, SENTENCES, Operation

SEEDS = st.integers(0, 2**32)
SIZES = st.integers(1, MOST_EVENTS)


@pytest.fixture(scope="module")
def many() -> list[ChainProblem]:
    rng = seeded("many")
    return [generate_problem(rng, 1 + index % MOST_EVENTS) for index in range(2500)]


def test_generator_is_pinned() -> None:
    """The same seed gives the same hundred problems for ever: figures and stored rollouts depend on it."""
    rng = seeded("golden")
    texts = [generate_problem(rng, 1 + i % MOST_EVENTS, held_out=i % 2 == 0).text for i in range(100)]
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    assert digest == "f5252c543654a90c6723d58f6587cd51559f4ca09d28b1dc5afc11adcb4d97d5"


@given(seed=SEEDS, size=SIZES)
def test_same_seed_same_problem(seed: int, size: int) -> None:
    """A problem is a function of its random source."""
    assert generate_problem(seeded(seed), size) == generate_problem(seeded(seed), size)


@given(seed=SEEDS, size=SIZES, held_out=st.booleans())
def test_generator_keeps_to_its_side(seed: int, size: int, held_out: bool) -> None:
    """Training problems are never held out, held-out ones always."""
    assert generate_problem(seeded(seed), size, held_out=held_out).held_out is held_out


def test_sides_are_disjoint(many: list[ChainProblem]) -> None:
    """No content occurs on both sides."""
    rng = seeded("other side")
    held_out = {generate_problem(rng, 1 + i % MOST_EVENTS, held_out=True).content for i in range(300)}
    assert not held_out & {problem.content for problem in many}


def test_partition_is_about_a_sixteenth() -> None:
    """The hash spreads problems evenly."""
    rng = seeded("share")
    drawn = [task._draw_problem(rng, 6).held_out for _ in range(2000)]
    assert sum(drawn) / len(drawn) == pytest.approx(1 / HELD_OUT_PARTS, abs=0.02)


@settings(max_examples=50)
@given(seed=SEEDS, size=SIZES, other=SEEDS)
def test_side_does_not_depend_on_words(seed: int, size: int, other: int) -> None:
    """Other names, keys and sentences around the same numbers stay on the same side."""
    problem = generate_problem(seeded(seed), size)
    rng = seeded(other)
    keys = rng.sample(sorted(KEYS), size)
    events = tuple(
        Event(
            key=key,
            operation=event.operation,
            operand=event.operand,
            wording=rng.randrange(len(SENTENCES[event.operation])),
        )
        for key, event in zip(keys, problem.events, strict=True)
    )
    name, item = rng.choice(NAMES), rng.choice(ITEMS)
    reworded = ChainProblem(start=problem.start, events=events, name=name, item=item)
    assert reworded.held_out is problem.held_out
    assert reworded.values == problem.values


def test_effective_shares(many: list[ChainProblem]) -> None:
    """Every rare operation is at least one step in twelve: at one in twenty a model never learned it."""
    counts = Counter(event.operation for problem in many for event in problem.events)
    total = sum(counts.values())
    shares = {operation: counts[operation] / total for operation in Operation}
    rare = [operation for operation in Operation if operation not in (Operation.ADD, Operation.SUBTRACT)]
    assert min(shares[operation] for operation in rare) >= 0.078
    assert max(shares.values()) < 0.35
    assert sum(WEIGHTS.values()) == pytest.approx(1.01)


def test_surface_varies(many: list[ChainProblem]) -> None:
    """Every opening, question, sentence, name, item and key is used."""
    assert {p.opening for p in many} == set(range(len(OPENINGS)))
    assert {p.question for p in many} == set(range(len(QUESTIONS)))
    assert {p.name for p in many} == set(NAMES)
    assert {p.item for p in many} == set(ITEMS)
    assert {e.key for p in many for e in p.events} == KEYS
    used = {(e.operation, e.wording) for p in many for e in p.events}
    assert used == {(o, i) for o, templates in SENTENCES.items() for i in range(len(templates))}


def test_bounds_bind_about_half_of_the_time(many: list[ChainProblem]) -> None:
    """A minimum or maximum that always (or never) changed the value could be answered without comparing."""
    for operation in (Operation.MINIMUM, Operation.MAXIMUM):
        binds = [
            before != after
            for problem in many
            for event, (before, after) in zip(problem.events, pairwise(problem.values), strict=True)
            if event.operation is operation
        ]
        assert 0.35 < sum(binds) / len(binds) < 0.65


@given(seed=SEEDS, size=SIZES)
def test_values_stay_in_range(seed: int, size: int) -> None:
    """Every value fits in three digits and every key occurs once."""
    problem = generate_problem(seeded(seed), size)
    assert len(problem.values) == size + 1 == len(problem.events) + 1
    assert all(0 <= value <= LARGEST for value in problem.values)
    assert len({event.key for event in problem.events}) == size


@given(seed=SEEDS, size=SIZES, held_out=st.booleans())
def test_text_reads_back(seed: int, size: int, held_out: bool) -> None:
    """Parsing a problem's text gives the problem, with and without the closing newline."""
    problem = generate_problem(seeded(seed), size, held_out=held_out)
    assert parse_problem(problem.text) == problem
    assert parse_problem(problem.text[:-1]) == problem


@given(seed=SEEDS, data=st.data())
def test_cut_text_is_refused(seed: int, data: st.DataObject) -> None:
    """A problem that lost characters at its end is no problem (or, without its newline, the same one)."""
    text = generate_problem(seeded(seed), 4).text
    cut = data.draw(st.integers(0, len(text) - 2))
    with pytest.raises(TaskError):
        parse_problem(text[:cut])


UMA = "Uma has 62 cards.\nMay: keeps one in 3.\nHow many cards are left?\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("What is 2+2?", id="another problem"),
        pytest.param("Uma has 62 cards.\nHow many cards are left?\n", id="no event"),
        pytest.param(UMA.replace("Uma", "Bob"), id="unknown name"),
        pytest.param(UMA.replace("cards", "cats"), id="unknown item"),
        pytest.param(UMA.replace("many cards", "many pens"), id="question about another thing"),
        pytest.param(UMA.replace("62", "062"), id="leading zero"),
        pytest.param(UMA.replace("62", "62.0"), id="fraction"),
        pytest.param(UMA.replace("62", "-62"), id="negative"),
        pytest.param(UMA.replace("62", "620"), id="start out of range"),
        pytest.param(UMA.replace("62", "٦٢"), id="other digits"),
        pytest.param(UMA.replace("62", "6" * 10**5), id="huge number"),
        pytest.param(UMA.replace("in 3", "in 0"), id="division by zero"),
        pytest.param(UMA.replace("May", "Mai"), id="unknown key"),
        pytest.param(UMA.replace("May: ", "May "), id="no colon"),
        pytest.param(UMA.replace("keeps one in", "keeps"), id="nearly an event"),
        pytest.param(UMA.replace("keeps one in 3", "sells 63"), id="value below zero"),
        pytest.param(UMA.replace("keeps one in 3", "wins 138"), id="value above the largest"),
        pytest.param(UMA.replace("May: keeps one in 3.\n", "May: wins 3.\nMay: wins 4.\n"), id="key twice"),
        pytest.param(UMA.replace("\n", "\r\n"), id="other line ends"),
        pytest.param(UMA.replace("\n", "\n\n"), id="empty lines"),
        pytest.param(UMA + UMA, id="two problems"),
        pytest.param(" " + UMA, id="leading space"),
        pytest.param(UMA + "\n", id="two closing newlines"),
        pytest.param(UMA.replace("May: keeps one in 3.\n", "May: wins 3.\n" * 10**4), id="long"),
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    """What the task does not write is refused with one kind of error."""
    with pytest.raises(TaskError):
        parse_problem(text)


@given(st.text(alphabet="UmahsMy: 0123456789.\nceards?keponilftw", max_size=200))
def test_parser_raises_nothing_else(text: str) -> None:
    """Any text gives a problem or a TaskError."""
    try:
        problem = parse_problem(text)
    except TaskError:
        return
    assert problem.text.strip() == text.strip()


def test_example_from_the_docstring() -> None:
    """The problem of the module's text has the solution given there."""
    problem = parse_problem(UMA.replace("in 3.\n", "in 3.\nJune: gets 76 as a gift.\n"))
    assert solve(problem) == ("May: 62//3=20", "June: 20+76=96", "Answer: 96")


@pytest.mark.parametrize(
    ("operation", "left", "right", "result", "line"),
    [
        (Operation.ADD, 20, 76, 96, "May: 20+76=96"),
        (Operation.SUBTRACT, 96, 6, 90, "May: 96-6=90"),
        (Operation.TIMES, 7, 8, 56, "May: 7*8=56"),
        (Operation.DIVIDE, 62, 3, 20, "May: 62//3=20"),
        (Operation.REMAINDER, 62, 3, 2, "May: 62%3=2"),
        (Operation.MINIMUM, 62, 30, 30, "May: min(62,30)=30"),
        (Operation.MAXIMUM, 62, 30, 62, "May: max(62,30)=62"),
    ],
)
def test_operations(operation: Operation, left: int, right: int, result: int, line: str) -> None:
    """Each operation computes and is written as documented."""
    assert apply_operation(operation, left, right) == result
    assert format_step("May", operation, left, right, result) == line


@pytest.mark.parametrize("operation", [Operation.DIVIDE, Operation.REMAINDER])
def test_division_by_zero_raises(operation: Operation) -> None:
    """Nothing is made up for a division by zero."""
    with pytest.raises(ZeroDivisionError):
        apply_operation(operation, 5, 0)


@given(seed=SEEDS, size=SIZES)
def test_solution_follows_from_the_problem(seed: int, size: int) -> None:
    """The true solution has one line per event, in order, and ends with the answer."""
    problem = generate_problem(seeded(seed), size)
    lines = solve(problem)
    assert len(lines) == size + 1
    assert [line.split(":")[0] for line in lines[:-1]] == [event.key for event in problem.events]
    assert lines[-1] == format_answer(problem.answer) == f"Answer: {problem.values[-1]}"


def test_content_tells_computations_apart() -> None:
    """Content is injective where it matters: start, operations and operands."""

    def content(start: int, *events: tuple[Operation, int]) -> str:
        pairs = zip(("May", "June"), events, strict=False)
        chain = tuple(Event(key=key, operation=op, operand=n) for key, (op, n) in pairs)
        return ChainProblem(start=start, events=chain).content

    add, times = Operation.ADD, Operation.TIMES
    contents = [
        content(5, (add, 2)),
        content(5, (add, 3)),
        content(6, (add, 2)),
        content(5, (times, 2)),
        content(5, (add, 2), (add, 3)),
        content(5, (add, 3), (add, 2)),
        content(5, (add, 23)),
    ]
    assert len(set(contents)) == len(contents)
    assert contents[0] == "5;+ 2"


@pytest.mark.parametrize(
    "fields",
    [
        {"events": ()},
        {"name": "Bob"},
        {"item": "cats"},
        {"opening": len(OPENINGS)},
        {"opening": -1},
        {"question": len(QUESTIONS)},
        {"start": -1},
        {"start": LARGEST + 1},
    ],
    ids=str,
)
def test_problem_checks_its_fields(fields: dict[str, object]) -> None:
    """A problem that the task could not write cannot be made."""
    event = Event(key="May", operation=Operation.ADD, operand=3)
    with pytest.raises(TaskError):
        ChainProblem(**({"start": 5, "events": (event,)} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "operand", "wording"),
    [("Mai", 3, 0), ("May", 0, 0), ("May", 200, 0), ("May", 3, 99), ("May", 3, -1)],
)
def test_event_checks_its_fields(key: str, operand: int, wording: int) -> None:
    """An event that the task could not write cannot be made."""
    with pytest.raises(TaskError):
        Event(key=key, operation=Operation.ADD, operand=operand, wording=wording)


def test_long_lines_are_shortened_in_errors() -> None:
    """An error names the line without repeating a book."""
    with pytest.raises(TaskError) as caught:
        parse_problem("x" * 10**6 + "\nMay: wins 3.\nHow many cards are left?")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("module", ["task", "wording", "truth", "slips", "figures", "card"])
def test_truth_needs_the_standard_library_only(module: str) -> None:
    """Problems and their truth can be had without torch, numpy or anything else."""
    source = Path(task.__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            pure = name.split(".")[0] in sys.stdlib_module_names
            assert pure or name.startswith("steplabel.engines.bundled."), name
