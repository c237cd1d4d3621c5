"""What a user names by a text, `package.module:name`, since other processes have to find it again."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any

from steplabel.schemas.errors import ConfigError


def named_object(name: str, *, what: str) -> Any:
    """What stands at `package.module:name`.

    Args:
        what: it is for, as the error says it: "the redaction".

    Raises:
        ConfigError: it is no such name, nothing stands there, or its module raises or ends the process when imported.
    """
    if not all(name.partition(":")):
        raise ConfigError(f"{what} {name!r} must read 'package.module:name'")
    try:
        return pkgutil.resolve_name(name)
    except (Exception, SystemExit) as error:  # a user's module may do anything when it is imported
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ConfigError(f"cannot import {what} {name!r}: {said}") from error


def named_function(name: str, *, what: str) -> Callable[..., Any]:
    """The function of this name. Raises as `named_object`, and where something else stands there."""
    found = named_object(name, what=what)
    if not callable(found):
        raise ConfigError(f"{what} {name!r} is not a function but {type(found).__name__}")
    function: Callable[..., Any] = found
    return function
