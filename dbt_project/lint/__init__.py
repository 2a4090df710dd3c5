"""What the SQL linter takes for dbt's context: it renders models without dbt and without a warehouse.

A dispatched macro becomes a call of a function of its name, so the linter sees the form of a model, not an
engine's words.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

execute = False


class _Adapter:
    @staticmethod
    def dispatch(name: str, package: str = "") -> Callable[..., str]:
        def call(*arguments: Any) -> str:
            words = f"{name}({', '.join(str(argument) for argument in arguments)})"
            return f"select day from {words}" if name == "date_range" else words

        return call


adapter = _Adapter()


def as_of_start() -> str:
    """The first as-of date, some day."""
    return "cast('2026-01-01' as date)"


def as_of_end() -> str:
    """The last as-of date, some day."""
    return "cast('2026-01-02' as date)"


def dates_of_other_rules() -> str:
    """Days whose rules were others, some day."""
    return "cast('2026-01-01' as date)"


def seed_rows(query: str) -> list[dict[str, Any]]:
    """No rows: models that are written from seeds are left out by .sqlfluffignore."""
    return []


def has_whole_word(text: str, names: list[str]) -> str:
    """A call in its place."""
    return f"has_whole_word({text})"


class dbt:  # noqa: N801  dbt's own name
    """The cross-database types of dbt that the models name."""

    @staticmethod
    def type_string() -> str:
        """Text."""
        return "varchar"
