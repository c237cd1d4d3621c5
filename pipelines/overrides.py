"""`--set path.to.field=value`: change one field of a frozen configuration, with its type enforced."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from steplabel.labels.policies import NAMED_BY_OPTIONS
from steplabel.schemas import ConfigError

T = TypeVar("T")


def apply_overrides(config: T, assignments: Iterable[str], *, flag: str = "--set") -> T:
    """Apply `path=value` texts, all at once; errors name the `flag` that they came with.

    Fields that must fit each other may so be changed together, whatever their order. Of two values for one field the
    last stands. Values are JSON where they parse as such (`8`, `0.5`, `true`, `null`, `["\\n"]`), else plain text. A
    field that holds a text takes it as it stands, with the white space around it, or as a JSON string (`"a\\n"`).

    Raises:
        ConfigError: no `=`, no such field (the message lists those that exist), or a value of the wrong type.
    """
    settings = []
    for assignment in assignments:
        path, found, text = assignment.partition("=")
        if not found:
            raise ConfigError(f"{flag} {assignment!r}: wants path.to.field=value")
        settings.append(_Setting(tuple(path.strip().split(".")), text, f"{flag} {path.strip()}"))
    return _set(config, settings) if settings else config


class _Setting(NamedTuple):
    """A value for the field at `path` below the record at hand; `whole` names it as the user did."""

    path: tuple[str, ...]
    text: str
    whole: str


def _set(config: Any, settings: Sequence[_Setting]) -> Any:
    by_field: dict[str, list[_Setting]] = {}
    for setting in settings:
        _check_field(config, setting)
        by_field.setdefault(setting.path[0], []).append(setting)
    changes = {name: _value(config, name, its) for name, its in by_field.items()}
    if "name" not in changes and isinstance(config, NAMED_BY_OPTIONS):
        changes["name"] = ""  # a policy with other options must not keep the name of the one it was: it makes its own
    return dataclasses.replace(config, **changes)


def _check_field(config: Any, setting: _Setting) -> None:
    name, whole = setting.path[0], setting.whole
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise ConfigError(f"{whole}: {name!r} lies inside a plain value, which has no fields")
    names = [f.name for f in dataclasses.fields(config)]
    if name not in names:
        raise ConfigError(f"{whole}: no field {name!r} in {type(config).__name__}; it has {', '.join(names)}")


def _value(config: Any, name: str, settings: Sequence[_Setting]) -> Any:
    """The field's new value: set as a whole, or, one level down, in some of its own fields."""
    old = getattr(config, name)
    deeper = [setting._replace(path=setting.path[1:]) for setting in settings if len(setting.path) > 1]
    if len(deeper) == len(settings):
        return _set(old, deeper)
    last = settings[-1]
    if dataclasses.is_dataclass(old):
        inner = ", ".join(f"{last.whole.rsplit(maxsplit=1)[-1]}.{f.name}" for f in dataclasses.fields(old))
        raise ConfigError(f"{last.whole}={last.text}: a group of settings; set one of {inner}")
    if deeper:
        raise ConfigError(f"{deeper[0].whole}: {deeper[0].path[0]!r} lies inside a plain value, which has no fields")
    return _parse(last.text, typing.get_type_hints(type(config))[name], last.whole)


def _parse(text: str, kind: Any, whole: str) -> Any:
    try:
        return msgspec.convert(_plain(text, kind), kind, strict=False)
    except (msgspec.ValidationError, TypeError) as error:
        raise ConfigError(f"{whole}={text}: {error}") from error


def _plain(text: str, kind: Any) -> Any:
    """What JSON says, else the text: as it stands where the field takes any, without outer white space elsewhere."""
    of_union = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else ()
    try:
        said = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeEncodeError):
        return text if str in (kind, *of_union) else text.strip()
    return text if kind is str and not isinstance(said, str) else said
