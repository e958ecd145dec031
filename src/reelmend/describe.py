"""Option types put into words: names, limits and mistakes, from their one declaration."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from reelmend.errors import UsageError


@dataclass(frozen=True, slots=True)
class Row:
    """One option as the documentation shows it."""

    section: str
    """Name of the TOML table; empty for options at the top level."""
    name: str
    default: str
    limits: str
    """`whole number, 0 to 32`, `gentle, standard or strong`."""
    help: str


def rows(model: type[BaseModel], section: str = "") -> Iterator[Row]:
    """Every option of a model: its own first, then those of its sections, in the order of declaration."""
    inner: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        kind = _bare(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            inner.append((name, kind))
            continue
        yield Row(section, name, _shown(field), limits(field), field.description or "")
    for name, kind in inner:
        yield from rows(kind, name)


def flat_names(model: type[BaseModel]) -> dict[str, str]:
    """Where each option lives: name to section, the empty text for the top level."""
    homes = {row.name: row.section for row in rows(model)}
    return homes | dict.fromkeys(model.model_fields, "")


def limits(field: FieldInfo) -> str:
    """What a field accepts, in words: type, choices and range."""
    return _limits(_bare(field.annotation), *bounds(field))


def _limits(kind: Any, low: Any, high: Any) -> str:
    if get_origin(kind) is Literal:
        *some, last = (str(choice) for choice in get_args(kind))
        return f"{', '.join(some)} or {last}" if some else last
    if get_origin(kind) is tuple:
        of = get_args(kind)[0]
        inner = _limits(_bare(of), *_bounds(getattr(of, "__metadata__", ())))
        if Ellipsis in get_args(kind):
            return f"list of {inner}"
        return f"lowest and highest, each a {inner}"
    noun = {int: "whole number", float: "number", bool: "true or false", str: "text", Path: "path"}.get(kind, "value")
    if low is not None and high is not None:
        return f"{noun}, {low} to {high}"
    if low is not None:
        return f"{noun}, {low} or more"
    return f"{noun}, at most {high}" if high is not None else noun


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Lowest and highest value of a field, None where open."""
    return _bounds(field.metadata)


def _bounds(metadata: Iterable[Any]) -> tuple[Any, Any]:
    inner = [m for one in metadata for m in (one, *getattr(one, "metadata", ()))]
    low = next((m.ge for m in inner if getattr(m, "ge", None) is not None), None)
    high = next((m.le for m in inner if getattr(m, "le", None) is not None), None)
    return low, high


def explain(model: type[BaseModel], error: ValidationError, where: str, whole: str = "a job") -> str:
    """The first mistake pydantic found as one sentence that names the key and its limits; `whole` names the model."""
    first = error.errors(include_url=False)[0]
    # Numbers are places in a list, which is explained as a whole.
    path = [str(part) for part in first["loc"] if not isinstance(part, int)]
    owner, section, tables = model, "", None
    for part in path[:-1]:
        kind = tables or (_bare(owner.model_fields[part].annotation) if part in owner.model_fields else None)
        tables = _value_model(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            owner, section = kind, f"{section}.{part}" if section else part
        elif tables:
            section = part
    key = ".".join(path)
    if first["type"] == "extra_forbidden":
        table = f"[{section}]" if section else whole
        known = list(owner.model_fields)
        return f"unknown key '{key}'{where}{_guess(path[-1], known)}; {table} knows {', '.join(known)}."
    if first["type"] == "missing" and path[-1] == first["loc"][-1]:
        return f"'{key}' is missing{where}; give it: {owner.model_fields[path[-1]].description}"
    field = owner.model_fields.get(path[-1])
    given = first["input"]
    if field is None or _is_model(field):
        return f"'{key}'{where} must be a table of options, not {given!r}."
    shown = f"'{given}'" if isinstance(given, str | Path) else str(given).lower() if isinstance(given, bool) else given
    if first["type"] == "value_error":
        # Of our own validators, who know better than the limits what is wrong.
        return f"{key} = {shown}{where} is not allowed: {str(first['msg']).removeprefix('Value error, ')}."
    return f"{key} = {shown}{where} is not allowed; allowed: {limits(field)}."


def no_such_option(name: str, known: Mapping[str, str]) -> UsageError:
    """The error for an option nobody knows."""
    return UsageError(f"unknown option '{name}'{_guess(name, list(known))}; options are {', '.join(known)}.")


def _guess(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f", did you mean '{close[0]}'?" if close else ""


def _value_model(kind: Any) -> Any:
    """The options type of a table of named tables."""
    values = get_args(kind)[1] if get_origin(kind) is dict else None
    return values if isinstance(values, type) and issubclass(values, BaseModel) else None


def _bare(kind: Any) -> Any:
    """The type inside `X | None`."""
    if get_origin(kind) in (Union, types.UnionType):
        return next(_bare(part) for part in get_args(kind) if part is not type(None))
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def _is_model(field: FieldInfo) -> bool:
    kind = _bare(field.annotation)
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default()
    if value is None:
        return "unset"
    return str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else str(value)


def find(model: type[BaseModel], name: str) -> FieldInfo:
    """The field of an option, whatever section it lives in. Raises KeyError."""
    for field_name, field in model.model_fields.items():
        if field_name == name:
            return field
    for field in model.model_fields.values():
        kind = _bare(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and name in kind.model_fields:
            return kind.model_fields[name]
    raise KeyError(name)
