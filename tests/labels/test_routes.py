"""Route values, by hand and against trees whose ways are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.labels.routes import RouteValue

VIEW = RouteValue(source="s")

CASES = {
    # name: (counts, scores, marks, first error)
    "a right answer": (". . . .", ".25 .5 .75 1", "++++", -1),
    "one step": (".", "1", "+", -1),
    "left at once": (". .", "0 ?", "-?", 0),
    "left behind one step: (1 - 1) / 4": (". . .", ".25 0 ?", "+-?", 1),
    "left behind two: (2 - 1) / 4": (". . .", ".25 .5 .25", "++-", 2),
    "left behind three: (3 - 1) / 5": (". . . .", ".2 .4 .6 .4", "+++-", 3),
    "a longer way from where a shorter one went on": (". . . .", ".5 .4 .6 ?", "+++?", -2),
    "and its end": (". . .", ".5 .4 .1", "++-", 2),
    "a rollout from beside was right": ("8/8 1/8", ".25 0", "+?", -2),
    "rollouts from beside that failed": ("8/8 0/8", ".25 0", "+-", 1),
    "a rollout from behind was right": ("8/8 0/8 1/8", ".25 0 ?", "+??", -2),
    "a rollout from behind an observation was right": ("8/8 0/8 o1/8 .", ".25 0 ? ?", "+???", -2),
    "not spoken of": (". .", "? ?", "??", -2),
    "nothing known before": (". .", "? .25", "??", -2),
    "but spoken of later": (". . .", "? .25 .5", "?++", -2),
}


@pytest.mark.parametrize("outcome", ["wrong", "open"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_by_hand(batch_of, signs, case, outcome):
    """On a way "+", beside it "-", unknown behind that and where a rollout found what the search did not."""
    counts, scores, marks, first_error = case
    labels = VIEW(batch_of([counts], [outcome], scores={"s": scores}))
    assert signs(labels) == marks
    np.testing.assert_array_equal(labels.values, [math.nan if w == "?" else float(w) for w in scores.split()])
    assert labels.first_error.tolist() == [first_error]
    assert np.isnan([labels.lows, labels.highs]).all()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_right_answer_takes_a_minus_back(batch_of, signs, case):
    """The solution itself got there from every one of its steps: what was "-" is unknown, all else as it was."""
    counts, scores, marks, _ = case
    labels = VIEW(batch_of([counts], ["right"], scores={"s": scores}))
    assert signs(labels) == marks.replace("-", "?")


def test_solutions_prove_nothing_about_their_neighbours(batch_of, signs):
    """A right answer of the next solution in the batch, or a rollout in it, is none of this one's."""
    batch = batch_of([". .", ". 8/8", ". ."], ["wrong", "open", "right"], scores={"s": ".5 0 .5 0 .5 0"})
    assert signs(VIEW(batch)) == "+-+?+?"


@st.composite
def trees(draw):
    """Children by node (0 is the root), and which leaves are right answers."""
    size = draw(st.integers(2, 14))
    children: dict[int, list[int]] = {node: [] for node in range(size)}
    for node in range(1, size):
        children[draw(st.integers(max(0, node - 4), node - 1))].append(node)
    leaves = [node for node in children if not children[node]]
    return children, draw(st.sets(st.sampled_from(leaves)))


def paths_of(children, node=0, path=()):
    """The paths to all leaves, without the root."""
    path = (*path, node) if node else path
    if not children[node]:
        return [path]
    return [leaf for child in children[node] for leaf in paths_of(children, child, path)]


def routes(children, paths, right):
    """ReST-MCTS*'s values by their definition, the highest where several ways speak."""
    values: dict[int, float] = {}
    for way in (path for path in paths if path[-1] in right):
        for d, parent in enumerate((0, *way[:-1])):
            for child in children[parent]:
                value = (d + 1) / len(way) if child in way else max((d - 1) / len(way), 0)
                values[child] = max(value, values.get(child, 0.0))
    return values


@given(trees())
def test_on_every_path_of_a_tree(batch_of, signs, tree):
    """On all paths of all trees the marks are what the ways say: on one, the first step beside all, what is behind."""
    children, right = tree
    paths = paths_of(children)
    values = routes(children, paths, right)
    on_a_way = {node for path in paths if path[-1] in right for node in path}
    scores = " ".join(repr(values[node]) if node in values else "?" for path in paths for node in path)
    batch = batch_of([" ".join("." * len(path)) for path in paths], ["open"] * len(paths), scores={"s": scores})
    expected = ["+" if node in on_a_way else "-" if node in values else "?" for path in paths for node in path]
    assert signs(VIEW(batch)) == "".join(expected)


@given(trees(), st.sets(st.integers(1, 13)))
def test_unknown_never_becomes_a_minus(batch_of, tree, lost):
    """Where statements are lost, a step is not "-" that is not spoken of, or of whose state before nothing is known."""
    children, right = tree
    paths = paths_of(children)
    values = {node: value for node, value in routes(children, paths, right).items() if node not in lost}
    scores = " ".join(repr(values[node]) if node in values else "?" for path in paths for node in path)
    batch = batch_of([" ".join("." * len(path)) for path in paths], ["wrong"] * len(paths), scores={"s": scores})
    labels = VIEW(batch)
    silent = np.isnan(batch.scores_of("s"))
    assert (labels.marks[silent] == 0).all()
    unseen_before = np.concatenate([[True], silent[:-1]]) & (batch.position > 0)
    assert (labels.marks[unseen_before] != -1).all()
