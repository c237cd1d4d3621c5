"""A function that a user names by a text, since a worker process has to find it again."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any

from steplabel.schemas import ConfigError


def named_function(name: str, *, what: str) -> Callable[..., Any]:
    """The function of this name, `package.module:function`.

    Args:
        what: it is for, as the error says it: "the redaction".

    Raises:
        ConfigError: it is no such name, or there is no such function.
    """
    if not all(name.partition(":")):
        raise ConfigError(f"{what} {name!r} must read 'package.module:function'")
    try:
        found: Any = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"cannot import {what} {name!r}: {error}") from error
    if not callable(found):
        raise ConfigError(f"{what} {name!r} is not a function but {type(found).__name__}")
    function: Callable[..., Any] = found
    return function
