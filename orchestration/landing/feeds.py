"""The feeds that land, as typed data read from `feeds.yml`. No SQL beyond names and types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from radar.errors import UsageError

FEEDS_FILE = Path(__file__).with_name("feeds.yml")

SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "enum": "VARCHAR",
    "json": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "bool": "BOOLEAN",
    "int": "BIGINT",
    "decimal": "DECIMAL(18,6)",
}

ACCOUNTS = "crm/accounts"
SUBSCRIPTIONS = "billing/subscriptions"

FEEDS: dict[str, Feed]  # by name; read from feeds.yml when first asked for


@dataclass(frozen=True)
class Column:
    """One column of the contract. `refuses_row`: a bad value costs the row (always so where required).

    `aliases`: the names that loading tools give it.
    """

    name: str
    type: str
    required: bool
    refuses_row: bool
    aliases: tuple[str, ...] = ()

    @property
    def sql_type(self) -> str:
        """The DuckDB type in `raw.*`."""
        return SQL_TYPES[self.type]


@dataclass(frozen=True)
class Feed:
    """One feed: `<source>/<feed>/` among the extracts, `raw.<source>_<feed>` in the warehouse.

    `own_times`: the columns that say when its facts happened; none where the feed holds states.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    every_row: bool
    own_times: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The system that the feed comes from, the outer folder."""
        return self.name.split("/")[0]

    @property
    def feed(self) -> str:
        """The inner folder."""
        return self.name.split("/")[1]

    @property
    def raw_table(self) -> str:
        """The table that the rows land in."""
        return f"raw.{self.source}_{self.feed}"

    @property
    def waiting_table(self) -> str | None:
        """Where rows wait for their account; None where the feed refers to no account, and for accounts."""
        if self.name == ACCOUNTS or "account_id" not in self.column_names:
            return None
        return f"quarantine.waiting_{self.source}_{self.feed}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the contract, in its order."""
        return tuple(column.name for column in self.columns)

    @property
    def entity_key(self) -> tuple[str, ...]:
        """What tells two things apart, whatever their version: the key without `updated_at`."""
        return tuple(name for name in self.key if name != "updated_at")

    @property
    def is_read_as_of(self) -> bool:
        """Whether a day reads the version of that day, and not the newest of all."""
        return self.name in (ACCOUNTS, SUBSCRIPTIONS)

    @property
    def has_versions(self) -> bool:
        """Whether a thing comes again as it changes, told apart by `updated_at`."""
        return "updated_at" in self.column_names

    @property
    def version_key(self) -> tuple[str, ...]:
        """What tells two versions of a fact apart: the key, and updated_at where the feed has it."""
        has_version = "updated_at" in self.column_names and "updated_at" not in self.key
        return (*self.key, "updated_at") if has_version else self.key


@cache
def load_feeds(path: Path = FEEDS_FILE) -> dict[str, Feed]:
    """Read and check a feeds file. Raises UsageError where an entry does not hold together."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: _feed(name, entry, path) for name, entry in entries.items()}


def _feed(name: str, entry: dict[str, Any], path: Path) -> Feed:
    aliases = entry.get("aliases", {})
    columns = tuple(
        replace(_column(name, column, spec, path), aliases=tuple(aliases.get(column, ())))
        for column, spec in entry["columns"].items()
    )
    key = tuple(entry["key"])
    unknown = {*key, *aliases, *entry.get("own_times", ())} - {column.name for column in columns}
    if name.count("/") != 1 or unknown:
        raise UsageError(
            f"feed {name}: "
            + (f"its key, aliases or own_times name {sorted(unknown)}" if unknown else "not <source>/<feed>"),
            "name the feed after its folder, and let these name columns that it has",
            file=path,
        )
    own_times = tuple(entry.get("own_times", ()))
    return Feed(name, key, columns, bool(entry.get("every_row", False)), own_times)


def _column(feed: str, name: str, spec: list[str], path: Path) -> Column:
    kind, need, *rest = spec
    if kind not in SQL_TYPES or need not in ("required", "optional") or rest not in ([], ["row"]):
        raise UsageError(
            f"feed {feed}, column {name}: {spec} is not understood",
            f"write [type, required or optional, row]; the types are {', '.join(SQL_TYPES)}",
            file=path,
        )
    required = need == "required"
    return Column(name, kind, required, required or rest == ["row"])


def __getattr__(name: str) -> Any:
    if name == "FEEDS":
        return load_feeds()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
