"""What tree searches share: values of states, what is kept, and pieces of even length."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.annotators import AnnotationStatus, Samples, samples_with
from steplabel.annotators.asking.prefix import prefix_seed
from steplabel.annotators.trees.pieces import EvenPieces
from steplabel.annotators.trees.tree import Findings, ask_state, is_failure, monte_carlo, recut, tree_path
from steplabel.schemas import (
    ConfigError,
    DataError,
    FinishReason,
    GoldAnswer,
    Outcome,
    Problem,
    SamplingParams,
    SolutionSource,
    Step,
    make_solution,
)
from steplabel.schemas.segmentation import NewlineSteps

PROBLEM = Problem(id="p", text="How many?", gold=GoldAnswer(text="7"))
STEPS = (Step(text="a\n"), Step(text="b\n"))


class TestMonteCarlo:
    """Letters are outcomes: (r)ight, (w)rong, (s)ilent, (l)ength, (c)rashed checker."""

    @pytest.mark.parametrize(
        ("letters", "as_failure", "otherwise"),
        [
            ("rrww", 0.5, 0.5),
            ("rsss", 0.25, 1.0),
            ("rccc", 1.0, 1.0),
            ("wwww", 0.0, 0.0),
            ("wwcc", 0.0, 0.0),
            ("wccc", None, None),
            ("ssll", 0.0, None),
            ("wlcc", 0.0, None),
            ("cccc", None, None),
            ("", None, None),
        ],
    )
    def test_by_hand(self, outcomes: Callable, letters: str, as_failure: float | None, otherwise: float | None) -> None:
        """Right ones among those that count; 0 only where half of them failed; nothing of what we did not find out."""
        found = outcomes(letters)
        assert monte_carlo(found, silence_is_failure=True) == as_failure
        assert monte_carlo(found, silence_is_failure=False) == otherwise

    def test_how_many_failures_are_enough(self, outcomes: Callable) -> None:
        """`min_decided` replaces the half; one right completion is always enough."""
        assert monte_carlo(outcomes("wccc"), silence_is_failure=True, min_decided=1) == 0.0
        assert monte_carlo(outcomes("wwwc"), silence_is_failure=True, min_decided=4) is None
        assert monte_carlo(outcomes("rccc"), silence_is_failure=True, min_decided=4) == 1.0

    @pytest.mark.parametrize(
        ("letter", "strict", "lenient"), [("r", 0, 0), ("w", 1, 1), ("s", 1, 0), ("l", 1, 0), ("c", 0, 0)]
    )
    def test_failures(self, outcomes: Callable, letter: str, strict: int, lenient: int) -> None:
        """Wrong answers fail, silence if it is to; a crash of ours does not."""
        (one,) = outcomes(letter)
        assert is_failure(one, silence_is_failure=True) == bool(strict)
        assert is_failure(one, silence_is_failure=False) == bool(lenient)
        assert not is_failure(None, silence_is_failure=True)


def heard(n: int = 2) -> Samples:
    question = ask_state(PROBLEM, PROBLEM.root_key, (), n=n, sampling=SamplingParams(), seed=1)
    return samples_with(question, [Outcome.WRONG] * n)


def test_states_are_asked_as_every_annotator_asks() -> None:
    """The same seed for the same prefix: a shared store answers from what others asked."""
    key = make_solution(PROBLEM, STEPS).node_keys[-1]
    question = ask_state(PROBLEM, key, STEPS, n=3, sampling=SamplingParams(), seed=9, token_ids=(1, 2))
    assert (question.prefix, question.prefix_ids, question.n) == ("a\nb\n", (1, 2), 3)
    assert (question.seed, question.start) == (prefix_seed(9, key), 0)


def test_paths_keep_who_wrote_them() -> None:
    """Writer, sampling, seed and index are those of the rollout that ends the path; the keys those of its steps."""
    samples = heard()
    path = tree_path(PROBLEM, STEPS, samples.rollouts[1], samples.outcomes[1])
    assert (path.policy, path.index, path.seed) == ("oracle", 1, samples.rollouts[1].seed)
    assert (path.source, path.finish_reason, path.sampling) == (SolutionSource.TREE, "stop", SamplingParams())
    assert path.node_keys == make_solution(PROBLEM, STEPS).node_keys
    cut = tree_path(PROBLEM, STEPS, samples.rollouts[1], samples.outcomes[1], finish_reason=FinishReason.LENGTH)
    assert cut.finish_reason == "length"


def test_the_same_words_in_other_steps() -> None:
    """Only steps, keys and source differ."""
    solution = make_solution(PROBLEM, (Step(text="a\nb"),), policy="m", policy_licence="MIT", index=3, token_ids=(4, 5))
    path = recut(PROBLEM, solution, NewlineSteps())
    assert [step.text for step in path.steps] == ["a\n", "b"]
    assert (path.text, path.policy, path.policy_licence) == (solution.text, "m", "MIT")
    assert (path.index, path.token_ids, path.source) == (3, (4, 5), SolutionSource.TREE)


def test_findings() -> None:
    """Outcomes stand as an annotation wants them: the rollouts', then the solutions'; a path counts once."""
    found, samples = Findings(), heard()
    found.heard(samples)
    path = tree_path(PROBLEM, STEPS, samples.rollouts[0], samples.outcomes[0])
    for _ in range(2):
        found.path(path, samples.outcomes[0])
    annotation = found.annotation(AnnotationStatus.COMPLETE, (), detail="x")
    assert found.samples == 2
    assert annotation.rollouts == samples.rollouts
    assert annotation.solutions == (path,)
    assert [one.subject for one in annotation.outcomes] == [*(r.key for r in samples.rollouts), path.id]
    assert annotation.outcomes[-1].outcome is Outcome.WRONG
    assert annotation.detail == "x"


class TestEvenPieces:
    """Length-based steps."""

    def test_sixteen_pieces_of_an_average_solution(self) -> None:
        """A text of average length has 16 pieces, one of twice the length 32, one of a tenth two."""
        text = "word " * 160
        pieces = EvenPieces(chars=len(text) / 16)
        assert [len(pieces.split(t)) for t in (text, text * 2, "word " * 16)] == [16, 32, 2]
        assert {len(step.text) for step in pieces.split(text)} == {50}

    def test_cuts_fall_on_word_ends(self) -> None:
        """Blanks belong to the word before them, and no word or number is cut."""
        pieces = EvenPieces(chars=8).split("The sum is\n\n12345678 and   so on.")
        assert [step.text for step in pieces] == ["The sum ", "is\n\n", "12345678 ", "and   ", "so on."]

    def test_texts_without_blanks(self) -> None:
        """Cut between characters, but not inside a word or number."""
        pieces = EvenPieces(chars=4).split("答案是1234567元。所以")
        assert [step.text for step in pieces] == ["答案是", "1234567", "元。所以"]
        assert len(EvenPieces(chars=2).split("12345678")) == 1

    @given(text=st.text(alphabet="ab 1\n。é", min_size=1, max_size=80), chars=st.floats(0.5, 50))
    def test_nothing_is_lost(self, text: str, chars: float) -> None:
        """Joining the pieces gives the text back; none is blank."""
        if not text.strip():
            with pytest.raises(DataError):
                EvenPieces(chars=chars).split(text)
            return
        steps = EvenPieces(chars=chars).split(text)
        assert "".join(step.text for step in steps) == text
        assert all(step.text.strip() for step in steps)
        assert len(steps) <= max(1, len(text) / chars + 1)

    @pytest.mark.parametrize("chars", [0, -1, float("nan")])
    def test_length_must_be_positive(self, chars: float) -> None:
        """Refused where it is given."""
        with pytest.raises(ConfigError):
            EvenPieces(chars=chars)
