"""What the SQL linter takes for dbt's context: it renders models without dbt and without a warehouse.

A cross-database macro of dbt becomes a call of a function of its name: what counts is the form of a model.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIGNALS = Path(__file__).resolve().parents[2] / "seeds" / "signals.csv"

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
    """The catalogue of signals, else no rows: models written from other seeds are in .sqlfluffignore."""
    if "seeds.signals" not in query:
        return []
    with SIGNALS.open(encoding="utf-8", newline="") as file:
        rows = [{column: cell or None for column, cell in row.items()} for row in csv.DictReader(file)]
    return [row for row in rows if row["measure"] or "measure is not null" not in query]


def _as_text(argument: object) -> str:
    return ", ".join(map(str, argument)) if isinstance(argument, list) else str(argument)


class adapter:  # noqa: N801  dbt's own name
    """What picks the macro of an engine: a call of a function of its name."""

    @staticmethod
    def dispatch(name: str) -> Callable[..., str]:
        """A call in its place."""
        return lambda *arguments: f"{name}({', '.join(map(_as_text, arguments))})"


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
