"""Writes the tables of docs/simulate.md from the models in reelmend.simulate.recipe and the recipes of the package."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from reelmend.describe import limits
from reelmend.simulate.recipe import (
    Entry,
    Grain,
    Lookalike,
    Picture,
    Recipe,
    Sticking,
    load_recipe,
    recipe_names,
)

PAGE = Path(__file__).parents[1] / "docs" / "simulate.md"
MARK = "<!-- recipes: tools/recipe_tables.py writes what follows -->\n"

TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("Top level", Recipe),
    ("`[damage.NAME]`", Entry),
    ("`[sticking]`", Sticking),
    ("`[grain]`", Grain),
    ("`[picture]`", Picture),
    ("`[lookalikes.NAME]`", Lookalike),
)


def tables() -> str:
    """The recipes of the package, the kinds, and every key, as Markdown."""
    from reelmend.simulate.kinds import KINDS
    from reelmend.simulate.lookalikes import LOOKALIKES

    lines = ["", "| recipe | what it stands for |", "|---|---|"]
    lines += [f"| `{name}` | {load_recipe(name).note} |" for name in recipe_names()]
    lines += ["", f"Damage: {', '.join(f'`{name}`' for name in sorted(KINDS))}.", ""]
    lines += [f"Look-alikes: {', '.join(f'`{name}`' for name in sorted(LOOKALIKES))}."]
    for title, model in TABLES:
        lines += ["", f"### {title}", "", "| key | default | allowed | what it does |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            if name in ("damage", "lookalikes", "sticking", "grain", "picture"):
                continue
            help = " ".join((field.description or "").split())
            lines.append(f"| `{name}` | {_toml(field.default)} | {limits(field)} | {help} |")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def page() -> str:
    """The whole page as it should be."""
    return PAGE.read_text(encoding="utf-8").split(MARK)[0] + MARK + tables()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
