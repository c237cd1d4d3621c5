"""The tokenizer: exact round trips, single digits, and the same ids from the library's own fast tokenizer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled.slips import write_solution
from steplabel.engines.bundled.task import generate_problem, seeded, solve
from steplabel.engines.bundled.tokenizer import (
    BOS,
    EOS,
    PAD,
    PIECE,
    SPECIAL_TOKENS,
    UNKNOWN,
    decode,
    encode,
    save_tokenizer,
    vocabulary,
)
from steplabel.engines.bundled.wording import specimen_lines

SEEDS = st.integers(0, 2**32)
SIZES = st.integers(1, 10)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    save_tokenizer(folder)
    return folder


@pytest.fixture(scope="module")
def fast(saved: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(saved, local_files_only=True)


@given(seed=SEEDS, size=SIZES, rate=st.floats(0, 1))
def test_task_texts_round_trip(seed: int, size: int, rate: float) -> None:
    """Whatever the task produces, slips included, is encoded without unknowns and decoded to the letter."""
    rng = seeded(seed)
    problem = generate_problem(rng, size)
    lines = [line.text for line in write_solution(problem, rng, slip_rate=rate)]
    text = problem.text + "\n".join(lines)
    ids = encode(text)
    assert UNKNOWN not in ids
    assert decode(ids) == text


@given(seed=SEEDS, size=SIZES, data=st.data())
def test_cuts_at_line_ends_are_token_boundaries(seed: int, size: int, data: st.DataObject) -> None:
    """Encoding a prefix that ends with a line gives the first ids of the whole: rollouts go on from there."""
    problem = generate_problem(seeded(seed), size)
    text = problem.text + "\n".join(solve(problem))
    ends = [match.end() for match in re.finditer("\n", text)]
    cut = data.draw(st.sampled_from(ends))
    assert encode(text[:cut]) + encode(text[cut:]) == encode(text)


@given(st.text(max_size=80))
def test_pieces_cover_any_text(text: str) -> None:
    """Nothing is dropped: the pieces of any text join to the text; foreign pieces become unknown."""
    assert "".join(re.findall(PIECE, text)) == text
    assert all(0 <= index < len(vocabulary()) for index in encode(text))


@pytest.mark.parametrize("text", ["Bob", "é", "🂡", "buy", "62,000;", "<s>", "</s>"])
def test_foreign_words_are_unknown(text: str) -> None:
    """Words the task never writes are unknown, not guessed; special tokens cannot be smuggled in."""
    ids = encode(text)
    assert UNKNOWN in ids
    assert BOS not in ids
    assert EOS not in ids


def test_digits_are_single() -> None:
    """Each digit is one token wherever it stands."""
    digits = {encode(digit)[0] for digit in "0123456789"}
    assert len(digits) == 10
    assert [index for index in encode("June: 20+176=196\n") if index in digits] == [
        encode(digit)[0] for digit in "20176196"
    ]
    assert not [piece for piece in vocabulary() if re.search("[0-9].|.[0-9]", piece)]


def test_vocabulary_is_small_and_ordered() -> None:
    """Special tokens come first; ids are dense; the whole is a few hundred pieces."""
    assert list(vocabulary())[:4] == list(SPECIAL_TOKENS)
    assert (PAD, BOS, EOS, UNKNOWN) == (0, 1, 2, 3)
    assert sorted(vocabulary().values()) == list(range(len(vocabulary())))
    assert len(vocabulary()) < 300


def test_specimens_are_known() -> None:
    """Every word in every place has a token."""
    assert all(UNKNOWN not in encode(line + "\n") for line in specimen_lines())


def test_longest_problem_fits() -> None:
    """Prompt and solution of ten events stay well within the model's 512 positions."""
    rng = seeded("longest")
    lengths = [
        len(encode(problem.text + "\n".join(solve(problem)))) + 2
        for problem in (generate_problem(rng, 10) for _ in range(500))
    ]
    assert max(lengths) < 300


def test_decode_leaves_special_tokens_out() -> None:
    """What a model says ends where it ends."""
    assert decode([BOS, *encode("Answer: 7"), EOS, PAD]) == "Answer: 7"


@given(seed=SEEDS, size=SIZES)
def test_fast_tokenizer_agrees(fast: Any, seed: int, size: int) -> None:
    """The saved tokenizer gives our ids behind `<s>`, and our text back."""
    problem = generate_problem(seeded(seed), size)
    text = problem.text + "\n".join(solve(problem))
    assert fast(text)["input_ids"] == [BOS, *encode(text)]
    assert fast(text, add_special_tokens=False)["input_ids"] == encode(text)
    assert fast.decode(encode(text)) == text
    assert fast.decode([BOS, *encode(text), EOS], skip_special_tokens=True) == text


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40))
def test_fast_tokenizer_agrees_on_foreign_text(fast: Any, text: str) -> None:
    """Both see the same pieces in any text that does not spell a special token."""
    if not any(special in text for special in SPECIAL_TOKENS):
        assert fast(text, add_special_tokens=False)["input_ids"] == encode(text)


def test_fast_tokenizer_knows_its_special_tokens(fast: Any) -> None:
    """An engine finds beginning, end and padding by the usual names."""
    assert (fast.pad_token_id, fast.bos_token_id, fast.eos_token_id, fast.unk_token_id) == (0, 1, 2, 3)
    assert fast.padding_side == "left"
    assert fast.is_fast


def test_saved_files(saved: Path) -> None:
    """Two ordinary files and nothing that names this machine."""
    names = {path.name for path in saved.iterdir()}
    assert {"tokenizer.json", "tokenizer_config.json"} <= names
    assert str(saved) not in "".join(path.read_text(encoding="utf-8") for path in saved.iterdir())
