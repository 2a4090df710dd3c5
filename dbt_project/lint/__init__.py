"""What the SQL linter takes for dbt's context: it renders models without dbt and without a warehouse.

A cross-database macro of dbt becomes a call of a function of its name: what counts is the form of a model.
"""

from __future__ import annotations

from typing import Any

execute = False


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
    """The cross-database macros of dbt that the models and our macros name."""

    @staticmethod
    def type_string() -> str:
        """Text."""
        return "varchar"

    @staticmethod
    def dateadd(datepart: str, interval: object, day: str) -> str:
        """A call in its place."""
        return f"dateadd('{datepart}', {interval}, {day})"

    @staticmethod
    def datediff(earlier: str, later: str, datepart: str) -> str:
        """A call in its place."""
        return f"datediff('{datepart}', {earlier}, {later})"

    @staticmethod
    def date_trunc(datepart: str, day: str) -> str:
        """A call in its place."""
        return f"date_trunc('{datepart}', {day})"
