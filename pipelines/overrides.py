"""`--set path.to.field=value`: change one field of a frozen configuration, with its type enforced."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from steplabel.labels.policies import NAMED_BY_OPTIONS
from steplabel.schemas import ConfigError

T = TypeVar("T")


def apply_overrides(config: T, assignments: Iterable[str], *, flag: str = "--set") -> T:
    """Apply `path=value` texts in order; errors name the `flag` that they came with.

    Values are JSON where they parse as such (`8`, `0.5`, `true`, `null`, `["\\n"]`), else plain text.

    Raises:
        ConfigError: no `=`, no such field (the message lists those that exist), or a value of the wrong type.
    """
    for assignment in assignments:
        path, found, text = assignment.partition("=")
        if not found:
            raise ConfigError(f"{flag} {assignment!r}: wants path.to.field=value")
        config = _set(config, path.strip().split("."), text.strip(), f"{flag} {path.strip()}")
    return config


def _set(config: Any, path: list[str], text: str, whole: str) -> Any:
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise ConfigError(f"{whole}: {path[0]!r} lies inside a plain value, which has no fields")
    names = [f.name for f in dataclasses.fields(config)]
    name, rest = path[0], path[1:]
    if name not in names:
        raise ConfigError(f"{whole}: no field {name!r} in {type(config).__name__}; it has {', '.join(names)}")
    if rest:
        value = _set(getattr(config, name), rest, text, whole)
    elif dataclasses.is_dataclass(getattr(config, name)):
        inner = ", ".join(f"{whole.rsplit(maxsplit=1)[-1]}.{f.name}" for f in dataclasses.fields(getattr(config, name)))
        raise ConfigError(f"{whole}={text}: a group of settings; set one of {inner}")
    else:
        value = _parse(text, typing.get_type_hints(type(config))[name], whole)
    changes = {name: value}
    if name != "name" and isinstance(config, NAMED_BY_OPTIONS):
        changes["name"] = ""  # a policy with other options must not keep the name of the one it was: it makes its own
    return dataclasses.replace(config, **changes)


def _parse(text: str, kind: Any, whole: str) -> Any:
    if _is_text(kind):
        return text
    try:
        plain = msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        plain = text
    try:
        return msgspec.convert(plain, kind, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"{whole}={text}: {error}") from error


def _is_text(kind: Any) -> bool:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return False
    return kind is str
