"""The feeds that land, as typed data read from `feeds.yml`. No SQL beyond names and types."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from radar.core.errors import InputError, UsageError

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


@dataclass(frozen=True)
class Column:
    """One column of the contract. `refuses_row`: a bad value costs the row (always so where required).

    `aliases`: the names that loading tools give it.
    `is_open`: a date far ahead in it means that there is no end, and is null. `spellings`: what an
    enumeration's values may be written as, by letters and digits alone, to the allowed word.
    """

    name: str
    type: str
    required: bool
    refuses_row: bool
    is_open: bool = False
    spellings: dict[str, str] = field(default_factory=dict, compare=False)
    aliases: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The allowed words of an enumeration, in the order of the contract."""
        return tuple(dict.fromkeys(self.spellings.values()))

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
    own_times: tuple[str, ...] = ()  # when its facts happened, where they keep coming
    one: tuple[str, ...] = ()  # what a fact has only one of: see feeds.yml
    key_choices: tuple[str, ...] = ()  # what seeds/feeds.csv may add to the key

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
    def id_columns(self) -> tuple[str, ...]:
        """The columns that hold an id, not a name."""
        return tuple(one.name for one in self.columns if one.type == "id" and one.name.endswith("_id"))

    @property
    def version_key(self) -> tuple[str, ...]:
        """What tells two versions of a fact apart: the key, and updated_at where the feed has it."""
        has_version = "updated_at" in self.column_names and "updated_at" not in self.key
        return (*self.key, "updated_at") if has_version else self.key

    def key_problem(self, named: str) -> tuple[str, str] | None:
        """What is wrong with a key that seeds/feeds.csv names, and what to do."""
        names, own = named.split(), " ".join(self.key)
        unknown = [name for name in names if name not in self.column_names]
        if not self.key_choices:
            what = f"rows of {self.name} are known by {own} alone, because other feeds name them so"
            return what, "empty the cell, and send ids that are unique"
        choices = ", ".join((*self.key, *self.key_choices))
        if unknown:
            return f"{self.name} has no column {unknown[0]}", f"name columns among {choices}"
        if len(set(names)) < len(names):
            return "a column stands twice in the key", "keep one of them"
        if not set(self.key) <= set(names):
            return f"the key lacks {own}", f"name {own} too; without it events are not told apart"
        wrong = [name for name in names if name not in (*self.key, *self.key_choices)]
        if wrong:
            what = f"{wrong[0]} describes an event and does not tell it from another"
            return what, f"name columns among {choices}"
        return None

    def with_key(self, named: str) -> Feed:
        """The feed with a key that has no problem, in the order of the contract.

        A fact of it then has one time too: ids that begin again every day are no versions of one fact.
        """
        key = tuple(name for name in self.column_names if name in named.split())
        one = tuple(name for name in (*self.one, *self.own_times) if name not in key)
        return replace(self, key=key, one=one)


@cache
def load_feeds(path: Path = FEEDS_FILE) -> dict[str, Feed]:
    """Read and check a feeds file. Raises UsageError where an entry does not hold together."""
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: _feed(name, entry, path) for name, entry in entries.items()}


def feeds_of(seeds: Path) -> dict[str, Feed]:
    """The feeds with the keys that the installation's `feeds.csv` names. Raises InputError for a bad one."""
    feeds = dict(load_feeds())
    for number, (name, key) in enumerate(_named_keys(seeds / "feeds.csv"), start=1):
        if not key or name not in feeds:
            continue
        problem = feeds[name].key_problem(key)
        if problem:
            raise InputError(*problem, file="feeds.csv", row=number, column="key")
        feeds[name] = feeds[name].with_key(key)
    return feeds


def rows_of_feeds(seeds: Path) -> dict[str, int]:
    """The row of each feed in the installation's `feeds.csv`, counted from 1."""
    return {name: number for number, (name, _) in enumerate(_named_keys(seeds / "feeds.csv"), start=1)}


def _named_keys(file: Path) -> list[tuple[str, str]]:
    """Feed and key of every row; a file of an earlier release names no key."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [
            ((row.get("feed") or "").strip(), (row.get("key") or "").strip()) for row in csv.DictReader(lines)
        ]


def _feed(name: str, entry: dict[str, Any], path: Path) -> Feed:
    aliases, words = entry.get("aliases", {}), entry.get("words", {})
    columns = tuple(
        replace(_column(name, column, spec, words.get(column), path), aliases=tuple(aliases.get(column, ())))
        for column, spec in entry["columns"].items()
    )
    key, own_times, one, choices = (
        tuple(entry.get(part, ())) for part in ("key", "own_times", "one", "key_choices")
    )
    unknown = {*key, *own_times, *one, *choices, *words, *aliases} - {column.name for column in columns}
    if name.count("/") != 1 or unknown:
        raise UsageError(
            f"feed {name}: " + (f"it names {sorted(unknown)}" if unknown else "not <source>/<feed>"),
            "name the feed after its folder, and let key, key_choices, aliases, own_times, one and words name"
            " columns that it has",
            file=path,
        )
    return Feed(name, key, columns, bool(entry.get("every_row", False)), own_times, one, choices)


def _column(
    feed: str, name: str, spec: list[str], words: dict[str, list[str] | None] | None, path: Path
) -> Column:
    kind, need, *rest = spec
    if (
        kind not in SQL_TYPES
        or need not in ("required", "optional")
        or not {"row", "open"}.issuperset(rest)
        or (kind == "enum") != (words is not None)
    ):
        raise UsageError(
            f"feed {feed}, column {name}: {spec} is not understood",
            "write [type, required or optional, row, open], and name the words of an enum;"
            f" the types are {', '.join(SQL_TYPES)}",
            file=path,
        )
    required = need == "required"
    spellings = {
        fold(spelling): word for word, others in (words or {}).items() for spelling in (word, *(others or ()))
    }
    return Column(name, kind, required, required or "row" in rest, "open" in rest, spellings)


def fold(word: str) -> str:
    """Lower case, letters and digits alone: what spellings are compared by."""
    return re.sub("[^a-z0-9]", "", word.lower())
