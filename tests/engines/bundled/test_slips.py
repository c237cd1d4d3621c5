"""Training solutions: true but for the slips, which are marked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled.slips import write_solution
from steplabel.engines.bundled.task import LARGEST, generate_problem, seeded, solve
from steplabel.engines.bundled.truth import StepKind, check_solution

SEEDS = st.integers(0, 2**32)
SIZES = st.integers(1, 10)


@given(seed=SEEDS, size=SIZES)
def test_no_slips_at_rate_zero(seed: int, size: int) -> None:
    """Without slips the solution is the true one."""
    problem = generate_problem(seeded(seed), size)
    lines = write_solution(problem, seeded(seed), slip_rate=0.0)
    assert tuple(line.text for line in lines) == solve(problem)
    assert not any(line.slip for line in lines)


@given(seed=SEEDS, size=SIZES)
def test_same_seed_same_slips(seed: int, size: int) -> None:
    """Slips are a function of the random source."""
    problem = generate_problem(seeded(seed), size)
    first = write_solution(problem, seeded(seed), slip_rate=0.5)
    assert write_solution(problem, seeded(seed), slip_rate=0.5) == first


@given(seed=SEEDS, size=SIZES)
def test_values_stay_in_range(seed: int, size: int) -> None:
    """Even with slips everywhere, no number leaves the range that the vocabulary and the task know."""
    problem = generate_problem(seeded(seed), size)
    lines = [line.text for line in write_solution(problem, seeded(seed), slip_rate=1.0)]
    values = [step.value for step in check_solution(problem, lines)]
    assert all(value is not None and 0 <= value <= LARGEST for value in values)


def test_slip_rate_is_kept() -> None:
    """About the asked share of lines slips: a little less, since impossible slips are left out."""
    rng = seeded("rate")
    lines = [line for _ in range(2000) for line in write_solution(generate_problem(rng, 6), rng, slip_rate=0.1)[:-1]]
    assert 0.06 < sum(line.slip for line in lines) / len(lines) < 0.1


def test_slips_are_of_all_kinds() -> None:
    """Wrong numbers from the problem, miscopied values, and (most) miscalculations."""
    rng = seeded("kinds")
    kinds = []
    for _ in range(1000):
        problem = generate_problem(rng, 6)
        lines = write_solution(problem, rng, slip_rate=0.1)
        steps = check_solution(problem, [line.text for line in lines])
        kinds += [step.kind for step, line in zip(steps, lines, strict=True) if line.slip]
    shares = {kind: kinds.count(kind) / len(kinds) for kind in set(kinds)}
    assert set(shares) <= {StepKind.OPERAND, StepKind.COPY, StepKind.ARITHMETIC, StepKind.OK}
    assert shares[StepKind.ARITHMETIC] > 0.5
    assert min(shares[StepKind.OPERAND], shares[StepKind.COPY]) > 0.05


@pytest.mark.parametrize("size", [1, 5, 10])
def test_the_answer_line_never_slips(size: int) -> None:
    """The answer repeats the last value: answer errors are the model's own."""
    rng = seeded("answer", size)
    for _ in range(200):
        lines = write_solution(generate_problem(rng, size), rng, slip_rate=1.0)
        assert not lines[-1].slip
        assert lines[-1].text == "Answer: " + lines[-2].text.rpartition("=")[2]
