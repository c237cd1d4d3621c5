"""Truth about solutions: a table for every kind of error, and what must hold for any solution whatever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled.slips import write_solution
from steplabel.engines.bundled.task import (
    ChainProblem,
    Event,
    apply_operation,
    format_answer,
    format_step,
    generate_problem,
    seeded,
    solve,
)
from steplabel.engines.bundled.truth import (
    StepKind,
    StepTruth,
    check_solution,
    final_answer,
    first_wrong,
    split_lines,
)
from steplabel.engines.bundled.wording import Operation

SEEDS = st.integers(0, 2**32)
SIZES = st.integers(1, 10)

# The fixture `diary`: 62, //3 = 20, +76 = 96, *2 = 192.
MAY, JUNE, JULY, ANSWER = "May: 62//3=20", "June: 20+76=96", "July: 96*2=192", "Answer: 192"


def case(
    name: str, lines: list[str], kinds: list[str], *, strict: int, consequential: int, answer: int | None
) -> object:
    return pytest.param(lines, kinds, strict, consequential, answer, id=name)


CASES = [
    case("right", [MAY, JUNE, JULY, ANSWER], ["ok"] * 4, strict=-1, consequential=-1, answer=192),
    case(
        "arithmetic, read on",
        [MAY, "June: 20+76=86", "July: 86*2=172", "Answer: 172"],
        ["ok", "arithmetic", "propagated", "propagated"],
        strict=1, consequential=1, answer=172,
    ),
    case(
        "arithmetic, read on after a pause",
        [MAY, "June: 20+76=86", "Hmm.", "July: 86*2=172", "Answer: 172"],
        ["ok", "arithmetic", "format", "propagated", "propagated"],
        strict=1, consequential=1, answer=172,
    ),
    case(
        "arithmetic, silently corrected",
        [MAY, "June: 20+76=86", JULY, ANSWER],
        ["ok", "arithmetic", "ok", "ok"],
        strict=1, consequential=-1, answer=192,
    ),
    case(
        "arithmetic, corrected, then another that counts",
        [MAY, "June: 20+76=86", "July: 96*2=182", "Answer: 182"],
        ["ok", "arithmetic", "arithmetic", "propagated"],
        strict=1, consequential=2, answer=182,
    ),
    case(
        "arithmetic in the last step, answer repeats it",
        [MAY, JUNE, "July: 96*2=182", "Answer: 182"],
        ["ok", "ok", "arithmetic", "propagated"],
        strict=2, consequential=2, answer=182,
    ),
    case(
        "arithmetic in the last step, answer right all the same",
        [MAY, JUNE, "July: 96*2=182", ANSWER],
        ["ok", "ok", "arithmetic", "ok"],
        strict=2, consequential=-1, answer=192,
    ),
    case(
        "operand, read on",
        ["May: 62//2=31", "June: 31+76=107", "July: 107*2=214", "Answer: 214"],
        ["operand", "propagated", "propagated", "propagated"],
        strict=0, consequential=0, answer=214,
    ),
    case(
        "operand and arithmetic at once is an operand error",
        ["May: 62//2=20", JUNE, JULY, ANSWER],
        ["operand", "ok", "ok", "ok"],
        strict=0, consequential=-1, answer=192,
    ),
    case(
        "operation, read on",
        ["May: 62%3=2", "June: 2+76=78", "July: 78*2=156", "Answer: 156"],
        ["operation", "propagated", "propagated", "propagated"],
        strict=0, consequential=0, answer=156,
    ),
    case(
        "operation whose result happens to be right",
        ["May: min(62,20)=20", JUNE, JULY, ANSWER],
        ["operation", "ok", "ok", "ok"],
        strict=0, consequential=-1, answer=192,
    ),
    case(
        "copy, absorbed by the division",
        ["May: 61//3=20", JUNE, JULY, ANSWER],
        ["copy", "ok", "ok", "ok"],
        strict=0, consequential=-1, answer=192,
    ),
    case(
        "copy, read on",
        [MAY, "June: 30+76=106", "July: 106*2=212", "Answer: 212"],
        ["ok", "copy", "propagated", "propagated"],
        strict=1, consequential=1, answer=212,
    ),
    case(
        "a wrong value that the next line misreads as another wrong one",
        [MAY, "June: 20+76=86", "July: 87*2=174", "Answer: 174"],
        ["ok", "arithmetic", "copy", "propagated"],
        strict=1, consequential=2, answer=174,
    ),
    case(
        "answer",
        [MAY, JUNE, JULY, "Answer: 182"],
        ["ok", "ok", "ok", "answer"],
        strict=3, consequential=3, answer=182,
    ),
    case(
        "a step left out",
        [MAY, "July: 20*2=40", "Answer: 40"],
        ["ok", "key", "propagated"],
        strict=1, consequential=1, answer=40,
    ),
    case(
        "a step left out that nobody misses",
        [MAY, JULY, ANSWER],
        ["ok", "key", "ok"],
        strict=1, consequential=-1, answer=192,
    ),
    case(
        "a key of its own invention",
        [MAY, "March: 20+76=96", JULY, ANSWER],
        ["ok", "key", "ok", "ok"],
        strict=1, consequential=-1, answer=192,
    ),
    case(
        "a step twice",
        [MAY, MAY, JUNE, JULY, ANSWER],
        ["ok", "key", "ok", "ok", "ok"],
        strict=1, consequential=-1, answer=192,
    ),
    case(
        "a step again, wrong this time",
        [MAY, JUNE, "May: 62//3=21", "July: 21*2=42", "Answer: 42"],
        ["ok", "ok", "key", "propagated", "propagated"],
        strict=2, consequential=2, answer=42,
    ),
    case(
        "a step after the last event",
        [MAY, JUNE, JULY, "August: 192+1=193", "Answer: 193"],
        ["ok", "ok", "ok", "key", "propagated"],
        strict=3, consequential=3, answer=193,
    ),
    case(
        "an answer too early",
        [MAY, "Answer: 20"],
        ["ok", "short"],
        strict=1, consequential=1, answer=20,
    ),
    case(
        "an answer too early, right by luck",
        [MAY, JUNE, ANSWER],
        ["ok", "ok", "short"],
        strict=2, consequential=-1, answer=192,
    ),
    case(
        "nonsense between right lines",
        [MAY, "Let me think.", JUNE, JULY, ANSWER],
        ["ok", "format", "ok", "ok", "ok"],
        strict=1, consequential=-1, answer=192,
    ),
    case(
        "a malformed step, then the truth",
        [MAY, "June: 20+76==96", JULY, ANSWER],
        ["ok", "format", "ok", "ok"],
        strict=1, consequential=-1, answer=192,
    ),
    case(
        "a malformed step, then a wrong value",
        [MAY, "June: 20+76=", "July: 86*2=172", "Answer: 172"],
        ["ok", "format", "copy", "propagated"],
        strict=1, consequential=2, answer=172,
    ),
    case(
        "lines after the answer",
        [MAY, JUNE, JULY, ANSWER, "Answer: 7", "June: 1+1=3"],
        ["ok", "ok", "ok", "ok", "trailing", "trailing"],
        strict=4, consequential=-1, answer=192,
    ),
    case("cut short", [MAY, JUNE], ["ok", "ok"], strict=-1, consequential=-1, answer=None),
    case("cut after an error", [MAY, "June: 20+76=86"], ["ok", "arithmetic"], strict=1, consequential=-1, answer=None),
    case("nothing", [], [], strict=-1, consequential=-1, answer=None),
    case(
        "negative values are read",
        [MAY, "June: 20-76=-56", "July: -56*2=-112", "Answer: -112"],
        ["ok", "operation", "propagated", "propagated"],
        strict=1, consequential=1, answer=-112,
    ),
    case(
        "division by zero",
        ["May: 62//0=20", JUNE, JULY, ANSWER],
        ["operand", "ok", "ok", "ok"],
        strict=0, consequential=-1, answer=192,
    ),
    case(
        "space around lines does not count",
        [f"  {MAY}\n", f"{JUNE}\r\n", f"\t{JULY} ", ANSWER],
        ["ok"] * 4,
        strict=-1, consequential=-1, answer=192,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "kinds", "strict", "consequential", "answer"), CASES)
def test_truth_table(
    diary: ChainProblem,
    lines: list[str],
    kinds: list[str],
    strict: int,
    consequential: int,
    answer: int | None,
) -> None:
    """Each kind of solution is judged as its name says."""
    steps = check_solution(diary, lines)
    assert [step.kind.value for step in steps] == kinds
    assert first_wrong(steps) == first_wrong(steps, "strict") == strict
    assert first_wrong(steps, "consequential") == consequential
    assert final_answer(lines) == answer


def test_every_kind_is_in_the_table() -> None:
    """No kind of error goes untested."""
    tested = {kind for param in CASES for kind in param.values[1]}  # type: ignore[attr-defined]
    assert tested == {kind.value for kind in StepKind}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "June",
        "June:",
        "June: ",
        "June:20+76=96",
        "June: 20 + 76 = 96",
        "June: 20+76=096",
        "June: 020+76=96",
        "June: +20+76=96",
        "June: 20+76=96.",
        "June: 20+76=96.0",
        "June: 20+76",
        "June: 20+76+1=97",
        "June: 20/76=0",
        "June: 20**2=400",
        "June: min(20 , 76)=20",
        "June: mid(20,76)=20",
        "June: min 20,76=20",
        "june: 20+76=96",
        "June: ٢٠+٧٦=٩٦",  # Arabic-Indic digits: int() would take them
        "June: ２０+７６=９６",  # noqa: RUF001 - full-width digits, likewise
        "June: 20+76=9⁶",
        "June: 1e2+0=100",
        "June: 0x14+76=96",
        "June: 20+76=1234567",
        "Answer:192",
        "Answer: 0192",
        "Answer: one",
        "Answer: 192 cards",
        "The answer: 192",
        "answer: 192",
        "<unk>",
        "\x00",
        "June: 20+76=96\nJuly: 96*2=192",
    ],
)  # fmt: skip
def test_malformed_lines(diary: ChainProblem, line: str) -> None:
    """What is not exactly a step is a wrong step of kind format, and says nothing."""
    step = check_solution(diary, [MAY, line])[1]
    assert (step.kind, step.wrong, step.consequential, step.value) == (StepKind.FORMAT, True, False, None)
    assert final_answer([line]) is None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("digits", [10**5, 10**6])
@pytest.mark.parametrize(
    "shape",
    ["June: {n}+76=96", "June: 20+{n}=96", "June: 20+76={n}", "June: min({n},{n})={n}", "Answer: {n}"],
)
def test_huge_numbers_do_not_hang(diary: ChainProblem, shape: str, digits: int) -> None:
    """A line of a million digits is refused at once: int() on it would take minutes, or raise."""
    line = shape.format(n="9" * digits)
    assert check_solution(diary, [MAY, line])[1].kind is StepKind.FORMAT
    assert final_answer([line]) is None


@given(lines=st.lists(st.text(max_size=30), max_size=8))
def test_any_text_is_judged(diary: ChainProblem, lines: list[str]) -> None:
    """Any lines whatever are judged, one truth each."""
    steps = check_solution(diary, lines)
    assert len(steps) == len(lines)
    assert final_answer(lines) is None or any("Answer" in line for line in lines)


@given(lines=st.lists(st.text(alphabet="JuneMayAswr: 0123456789+-*/%=(),minax", max_size=24), max_size=6))
def test_nearly_steps_are_judged(diary: ChainProblem, lines: list[str]) -> None:
    """So are lines made of the task's own characters."""
    check_consistency(diary, lines)


@given(seed=SEEDS, size=SIZES)
def test_true_solutions_are_right(seed: int, size: int) -> None:
    """The true solution has no wrong step under either rule."""
    problem = generate_problem(seeded(seed), size)
    steps = check_solution(problem, solve(problem))
    assert all(step.kind is StepKind.OK for step in steps)
    assert first_wrong(steps) == first_wrong(steps, "consequential") == -1
    assert final_answer(solve(problem)) == problem.answer
    assert [step.value for step in steps] == [*problem.values[1:], problem.answer]
    assert [step.operation for step in steps[:-1]] == [event.operation for event in problem.events]
    assert steps[-1].operation is None


@given(seed=SEEDS, size=SIZES, rate=st.floats(0.0, 1.0))
def test_slips_are_found_where_they_were_put(seed: int, size: int, rate: float) -> None:
    """The first injected slip is the first wrong step, and no other line is locally wrong."""
    rng = seeded(seed)
    problem = generate_problem(rng, size)
    lines = write_solution(problem, rng, slip_rate=rate)
    steps = check_consistency(problem, [line.text for line in lines])
    slipped = [index for index, line in enumerate(lines) if line.slip]
    local = {StepKind.ARITHMETIC, StepKind.COPY, StepKind.OPERAND}
    assert first_wrong(steps) == (slipped[0] if slipped else -1)
    assert all(lines[index].slip for index, step in enumerate(steps) if step.kind in local)


@given(seed=SEEDS, size=SIZES, data=st.data())
def test_perturbed_solutions(seed: int, size: int, data: st.DataObject) -> None:
    """A wrong result carried on faithfully makes every step wrong up to where an operation absorbs it."""
    problem = generate_problem(seeded(seed), size)
    at = data.draw(st.integers(0, size - 1))
    shift = data.draw(st.sampled_from([-100, -10, -2, -1, 1, 2, 10, 100]))
    lines, values = carry_on(problem, at, shift)
    steps = check_consistency(problem, lines)
    assert first_wrong(steps) == at
    assert first_wrong(steps, "consequential") == at
    assert steps[at].kind is StepKind.ARITHMETIC
    for index in range(at + 1, size):
        believed_wrong = values[index] != problem.values[index]
        assert steps[index].kind is (StepKind.PROPAGATED if believed_wrong else StepKind.OK)
    assert (final_answer(lines) == problem.answer) is (values[-1] == problem.answer)


@given(seed=SEEDS, size=SIZES, data=st.data())
def test_a_corrected_slip_is_not_consequential(seed: int, size: int, data: st.DataObject) -> None:
    """One wrong result that nobody reads: exactly one wrong step, under the strict rule only."""
    problem = generate_problem(seeded(seed), size)
    at = data.draw(st.integers(0, size - 1))
    lines = list(solve(problem))
    lines[at] = lines[at].rpartition("=")[0] + f"={problem.values[at + 1] + 1}"
    steps = check_consistency(problem, lines)
    assert [step.wrong for step in steps] == [index == at for index in range(size + 1)]
    assert first_wrong(steps, "consequential") == -1


@given(seed=SEEDS, size=st.integers(2, 10), data=st.data())
def test_shuffled_lines(seed: int, size: int, data: st.DataObject) -> None:
    """Right lines in another order are not all right."""
    problem = generate_problem(seeded(seed), size)
    lines = data.draw(st.permutations(solve(problem)))
    steps = check_consistency(problem, lines)
    moved = [index for index, (line, true) in enumerate(zip(lines, solve(problem), strict=True)) if line != true]
    assert first_wrong(steps) == (moved[0] if moved else -1)


@given(seed=SEEDS, size=SIZES, other=SEEDS)
def test_solution_of_another_problem(seed: int, size: int, other: int) -> None:
    """Judging against the wrong problem finds an error unless the lines are the same."""
    problem, stranger = generate_problem(seeded(seed), size), generate_problem(seeded(other), size)
    steps = check_consistency(problem, solve(stranger))
    assert (first_wrong(steps) < 0) is (solve(problem) == solve(stranger))


def test_value_and_operation_are_reported(diary: ChainProblem) -> None:
    """A step says what it was written to be and what the problem asked for."""
    steps = check_solution(diary, [MAY, "June: 20-76=5", "Answer: 5"])
    assert [step.value for step in steps] == [20, 5, 5]
    assert [step.operation for step in steps] == [Operation.DIVIDE, Operation.ADD, None]
    assert [step.text for step in steps] == [MAY, "June: 20-76=5", "Answer: 5"]


def test_absorbed_error_is_consequential() -> None:
    """The next step reads the wrong value, so the error counts, although a minimum then hides it."""
    events = (
        Event(key="May", operation=Operation.ADD, operand=50),
        Event(key="June", operation=Operation.MINIMUM, operand=30),
    )
    problem = ChainProblem(start=20, events=events)
    steps = check_solution(problem, ["May: 20+50=60", "June: min(60,30)=30", "Answer: 30"])
    assert [step.kind for step in steps] == [StepKind.ARITHMETIC, StepKind.PROPAGATED, StepKind.OK]
    assert [step.consequential for step in steps] == [True, False, False]


def test_split_lines() -> None:
    """Empty lines are no steps; a missing last newline does not matter."""
    assert split_lines(f"{MAY}\n\n{JUNE}\n \n") == split_lines(f"{MAY}\n{JUNE}") == (MAY, JUNE)
    assert split_lines("") == ()


def carry_on(problem: ChainProblem, at: int, shift: int) -> tuple[list[str], list[int]]:
    """Solve faithfully but for one result, wrong by `shift`; returns the lines and the values believed."""
    value, lines, values = problem.start, [], [problem.start]
    for index, event in enumerate(problem.events):
        result = apply_operation(event.operation, value, event.operand) + (shift if index == at else 0)
        lines.append(format_step(event.key, event.operation, value, event.operand, result))
        value = result
        values.append(value)
    return [*lines, format_answer(value)], values


def check_consistency(problem: ChainProblem, lines: list[str] | tuple[str, ...]) -> tuple[StepTruth, ...]:
    """Assert what must hold for any lines, and return their truth."""
    steps = check_solution(problem, lines)
    strict, consequential = first_wrong(steps), first_wrong(steps, "consequential")
    assert all(step.wrong is (step.kind is not StepKind.OK) for step in steps)
    assert all(step.wrong for step in steps if step.consequential)
    assert consequential == -1 or 0 <= strict <= consequential
    answer = final_answer(lines)
    # A wrong final answer has a cause that counts.
    assert answer in (None, problem.answer) or consequential >= 0
    # Judging is causal: what comes later changes no kind before it.
    for size in range(len(lines)):
        assert [s.kind for s in check_solution(problem, lines[:size])] == [s.kind for s in steps[:size]]
    return steps
