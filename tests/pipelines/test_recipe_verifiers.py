"""A recipe checks the verifiers that it is given, where it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from steplabel.schemas import ConfigError
from steplabel.verifiers.bounded import Bounded
from steplabel.verifiers.tasks.word_sorting import WordSorting


@dataclass(frozen=True)
class _OneDomain(WordSorting):
    """Its domains are one text, which would match problems by its letters."""

    domains = "word_sorting"  # type: ignore[assignment]


def test_what_does_not_keep_the_contract_is_refused(recipe_of: Callable[..., Any]) -> None:
    """The error names the place, the recipe and what is wrong."""
    recipe = recipe_of()
    with pytest.raises(ConfigError, match=r"verifier 2 of recipe .*_OneDomain.* domains are 'word_sorting', and must"):
        replace(recipe, verifiers=(Bounded(made_by="arithmetic"), _OneDomain()))
    with pytest.raises(ConfigError, match=r"verifier 1 of recipe .* makes a type"):
        replace(recipe, verifiers=(WordSorting,))
    assert len(replace(recipe, verifiers=(WordSorting(), Bounded(made_by="arithmetic"))).verifiers) == 2
