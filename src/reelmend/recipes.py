"""Recipe files: TOML that may build on another recipe, and says only what is different."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from reelmend.errors import UsageError

LIKE = "like"
"""The key that names the recipe beneath: one of the package, or a file, whose path counts from the recipe's folder."""


def read_recipe(path: Path, find: Callable[[str], Path], own: Collection[str]) -> dict[str, Any]:
    """The values of a recipe file, unchecked, laid over those of the recipe that it is `like`; tables key by key.

    `find` says where the recipe of a name lies; `own` are the keys of the top level that a recipe does not take from
    the one beneath. Raises UsageError for a file that is missing or not TOML, for a `like` that is no text, and where
    recipes build on one another in a circle.
    """
    return _read(path, find, own, ())


def _read(path: Path, find: Callable[[str], Path], own: Collection[str], above: tuple[Path, ...]) -> dict[str, Any]:
    place = path.absolute()
    if place in above:
        raise UsageError(f"{path} builds on itself: {' on '.join(one.name for one in (*above, place))}")
    values = _load(path)
    beneath = values.pop(LIKE, None)
    if beneath is None:
        return values
    if not isinstance(beneath, str):
        raise UsageError(f"{LIKE} in {path} names a recipe or a file, it cannot be {beneath!r}")
    lower = path.parent / beneath if Path(beneath).suffix else find(beneath)
    inherited = _read(lower, find, own, (*above, place))
    return _over({key: value for key, value in inherited.items() if key not in own}, values)


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the recipe ({error.strerror}); give a recipe's name or file") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is not a valid TOML file ({error}); see the recipes in the documentation") from None


def _over(beneath: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """Both, the second where they disagree; tables within alike."""
    both = dict(beneath)
    for key, value in values.items():
        lower = both.get(key)
        both[key] = _over(lower, value) if isinstance(lower, dict) and isinstance(value, dict) else value
    return both
