"""Every sentence the task writes can be read back, and nothing else can."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steplabel.engines.bundled.wording import (
    ITEMS,
    KEYS,
    MONTHS,
    NAMES,
    OPENINGS,
    ORDINALS,
    QUESTIONS,
    SENTENCES,
    WEEKDAYS,
    Operation,
    read_opening,
    read_question,
    read_sentence,
    specimen_lines,
)

TEMPLATES = [
    pytest.param(operation, index, template, id=template)
    for operation, templates in SENTENCES.items()
    for index, template in enumerate(templates)
]


@pytest.mark.parametrize(("operation", "index", "template"), TEMPLATES)
@pytest.mark.parametrize("number", [0, 1, 9, 10, 99, 199, 999])
def test_sentence_reads_back(operation: Operation, index: int, template: str, number: int) -> None:
    """A sentence gives back its operation, its template and its number."""
    assert read_sentence(template.format(number=number)) == (operation, index, number)


def test_every_operation_has_several_sentences() -> None:
    """One surface form per operation would make the look-up a lookup of words."""
    assert set(SENTENCES) == set(Operation)
    assert all(len(set(templates)) >= 4 for templates in SENTENCES.values())


def test_templates_are_unambiguous() -> None:
    """No sentence belongs to two operations."""
    every = [template for templates in SENTENCES.values() for template in templates]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("index", range(len(OPENINGS)))
@given(name=st.sampled_from(NAMES), item=st.sampled_from(ITEMS), number=st.integers(0, 999))
def test_opening_reads_back(index: int, name: str, item: str, number: int) -> None:
    """An opening gives back its template, name, item and number."""
    line = OPENINGS[index].format(name=name, item=item, number=number)
    assert read_opening(line) == (index, name, item, number)


@pytest.mark.parametrize("index", range(len(QUESTIONS)))
def test_question_reads_back(index: int) -> None:
    """A question gives back its template."""
    assert read_question(QUESTIONS[index].format(name="Uma", item="cards")) == index


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "buys more.",
        "buys  12 more.",
        "buys 12 more",
        "Buys 12 more.",
        "buys 012 more.",
        "buys -12 more.",
        "buys 1234 more.",
        "buys ١٢ more.",  # Arabic-Indic digits: int() would take them
        "buys １２ more.",  # noqa: RUF001 - full-width digits, likewise
        "buys 12 more.\n",
        "buys 12 more. wins 3.",
        "{number} break.",
    ],
)
def test_other_sentences_are_refused(sentence: str) -> None:
    """Near misses are no sentences."""
    assert read_sentence(sentence) is None


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Reading never raises."""
    assert read_sentence(text) is None or text.endswith(".")
    assert read_opening(text) is None or text.endswith(".")
    assert read_question(text) is None or text[-1] in "?."


@pytest.mark.timeout(60)
def test_huge_numbers_cost_nothing() -> None:
    """A number of a hundred thousand digits is refused without being converted."""
    assert read_sentence(f"wins {'9' * 10**5}.") is None
    assert read_opening(f"Uma has {'9' * 10**5} cards.") is None


def test_key_families_are_disjoint() -> None:
    """A key says which family it comes from."""
    assert len(KEYS) == len(MONTHS) + len(WEEKDAYS) + len(ORDINALS)


def test_words_do_not_serve_twice() -> None:
    """Keys, names and items are different words: a model can tell them apart by the word alone."""
    assert len({*KEYS, *NAMES, *ITEMS}) == len(KEYS) + len(NAMES) + len(ITEMS)


def test_specimens_hold_every_word() -> None:
    """The lines that the vocabulary is made from hold every key, name, item and template word."""
    words = " ".join(specimen_lines())
    assert all(word in words for word in (*KEYS, *NAMES, *ITEMS))
    for templates in SENTENCES.values():
        assert all(template.format(number=1) in words for template in templates)
