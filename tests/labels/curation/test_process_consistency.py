"""PROF's group filter against numbers worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steplabel.labels.curation import Inconsistency, ScoredSolution, consistency, filter_group
from steplabel.schemas import ConfigError, DataError, Outcome

RIGHT, WRONG, UNKNOWN = Outcome.CORRECT, Outcome.WRONG, Outcome.UNKNOWN


def solution(name, outcome, *values):
    return ScoredSolution(id=name, outcome=outcome, values=values)


@pytest.mark.parametrize(
    ("outcome", "values", "expected"),
    [
        (RIGHT, (1.0, 1.0), 1.0),
        (WRONG, (1.0, 1.0), -1.0),
        (WRONG, (0.0, 0.0), 1.0),
        (RIGHT, (1.0, 0.5), 0.5),
        (WRONG, (0.75, 0.25), 0.0),
        (RIGHT, (1.0, None), 1.0),
        (RIGHT, (None, None), None),
        (RIGHT, (), None),
        (UNKNOWN, (1.0,), None),
    ],
)
def test_consistency_by_hand(outcome, values, expected):
    """Mean of (2p-1)(2R-1); steps without a value do not count, unknown outcomes have no consistency."""
    assert consistency(solution("s", outcome, *values)) == expected


def test_a_group_of_eight_by_hand():
    """n+ = 5, n- = 3, m = 4: round(6 / 2) = 3 right ones leave and 1 wrong one; two of each stay."""
    right = [solution(f"r{i}", RIGHT, p) for i, p in enumerate([0.9, 0.1, 0.5, 0.8, 0.3])]
    wrong = [solution(f"w{i}", WRONG, p) for i, p in enumerate([0.2, 0.9, 0.4])]
    result = filter_group([*right, *wrong])
    assert result.kept == ("r0", "r3", "w0", "w2")
    assert result.dropped == tuple((name, Inconsistency.LEAST_CONSISTENT) for name in ("r1", "r2", "r4", "w1"))
    assert (result.kept_right, result.kept_wrong) == (2, 2)


@pytest.mark.parametrize(
    ("right", "wrong", "kept"),
    [
        (4, 4, (2, 2)),
        (8, 0, (4, 0)),
        (0, 8, (0, 4)),
        (7, 1, (3, 1)),
        (1, 7, (1, 3)),
        (6, 2, (2, 2)),
        (3, 1, (0, 0)),
        (4, 3, (2, 1)),
        (0, 0, (0, 0)),
    ],
)
def test_how_many_of_each_stay(right, wrong, kept):
    """The formula's numbers, moved into what there is; a half goes to the even neighbour (4 and 3)."""
    group = [solution(f"r{i}", RIGHT, 0.5) for i in range(right)] + [
        solution(f"w{i}", WRONG, 0.5) for i in range(wrong)
    ]
    result = filter_group(group)
    assert (result.kept_right, result.kept_wrong) == kept


def test_unknown_is_neither():
    """Unknown outcomes and solutions without values leave with their reason and do not count in n."""
    group = [
        solution("a", RIGHT, 1.0),
        solution("b", UNKNOWN, 1.0),
        solution("c", WRONG, None),
        solution("d", WRONG, 0),
    ]
    result = filter_group(group, drop=0)
    assert result.kept == ("a", "d")
    assert result.dropped == (("b", Inconsistency.UNKNOWN_OUTCOME), ("c", Inconsistency.NO_VALUES))
    assert filter_group([solution("b", UNKNOWN, 1.0)]).kept == ()


GROUPS = st.lists(
    st.tuples(st.sampled_from(Outcome), st.lists(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=3)),
    max_size=10,
).map(lambda found: [solution(f"s{i}", outcome, *values) for i, (outcome, values) in enumerate(found)])


@settings(deadline=None)
@given(GROUPS, st.integers(0, 6), st.randoms(use_true_random=False))
def test_order_changes_nothing(group, drop, random):
    """Ties go by id: the same solutions stay, whatever their order."""
    shuffled = list(group)
    random.shuffle(shuffled)
    assert set(filter_group(group, drop=drop).kept) == set(filter_group(shuffled, drop=drop).kept)


@settings(deadline=None)
@given(GROUPS, st.integers(0, 6))
def test_what_a_filter_keeps(group, drop):
    """Exactly `drop` that can be ranked leave, the rest balances as well as it can, the most consistent stay."""
    result = filter_group(group, drop=drop)
    ranked = [s for s in group if consistency(s) is not None]
    assert len(result.kept) == max(0, len(ranked) - drop)
    assert {*result.kept, *(name for name, _ in result.dropped)} == {s.id for s in group}
    for outcome in (RIGHT, WRONG):
        scores = {s.id: consistency(s) for s in ranked if s.outcome is outcome}
        stays = [score for name, score in scores.items() if name in result.kept]
        leaves = [score for name, score in scores.items() if name not in result.kept]
        assert not stays or not leaves or min(stays) >= max(leaves)
    n_right, n_wrong = (sum(s.outcome is outcome for s in ranked) for outcome in (RIGHT, WRONG))
    if abs(n_right - n_wrong) <= drop <= len(ranked):
        assert abs(result.kept_right - result.kept_wrong) <= 1 + (n_right + n_wrong + drop) % 2


def test_refused():
    """Values outside [0, 1], repeated ids and a negative number are refused."""
    with pytest.raises(DataError, match="value of a step of s"):
        solution("s", RIGHT, 1.5)
    with pytest.raises(DataError, match="share an id"):
        filter_group([solution("s", RIGHT, 1.0), solution("s", WRONG, 0.0)])
    with pytest.raises(ConfigError, match="drop=-1"):
        filter_group([], drop=-1)
