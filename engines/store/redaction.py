"""What must not be kept is taken out of every text before it is stored."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from typing import Any, TypeAlias

from steplabel.schemas import ConfigError

Redact: TypeAlias = Callable[[str], str]
"""Returns the text as it may be stored; an unchanged one where there is nothing to hide."""


def named_redaction(name: str) -> Redact:
    """The function of this name, `package.module:function`.

    Raises:
        ConfigError: it is no such name, or there is no such function.
    """
    if not all(name.partition(":")):
        raise ConfigError(f"redaction {name!r} must read 'package.module:function'")
    try:
        found: Any = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"cannot import the redaction {name!r}: {error}") from error
    if not callable(found):
        raise ConfigError(f"redaction {name!r} is not a function but {type(found).__name__}")
    redact: Redact = found
    return redact
