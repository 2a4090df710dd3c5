"""The feeds as typed data, read from their contracts: `feeds/contract/<source>__<feed>.yml`, one file a feed.

A contract is the one definition of a feed. What follows from it: how its files land (`casts`, `statements`,
`schema`), its base suite (`radar.quality.base_suite`), what dbt says of its source and staging model and the
reference in docs/feeds.md (`contract_files`), the headers of the demo, and rows of tests. What each property
means is documented at `Feed` and `Column`. No SQL beyond names and types.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path

from radar.core.errors import InputError, UsageError
from radar.core.project import PROJECT
from radar.landing.located_yaml import Located, read_located
from radar.landing.notations import DATE_ORDERS

CONTRACTS = PROJECT / "feeds" / "contract"
EVERY_FEED = "_every_feed.yml"
"""Columns that every feed may carry, in the same form; a contract replaces single properties of them."""

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
MOST_OF_NUMBERS = 10**12
"""Amounts have twelve digits before the point."""
CURRENCY = "currency"
NO_CURRENCY = "XXX"
"""What ISO 4217 writes where no currency is meant: no rate converts it."""
FORMATS = ("email", CURRENCY)
TIMES, NUMBERS, PERSONAL = ("timestamp", "date"), ("int", "decimal"), ("id", "text", "json")

UPDATED_AT, LAST_LANDED, EVERY_ROW = "updated_at", "last_landed", "every_row"
PRECEDENCES = (UPDATED_AT, LAST_LANDED, EVERY_ROW)
REFUSED, REPORTED, ALLOWED = "refused", "reported", "allowed"
PII_CLASSES = ("none", "identifier", "personal", "free_text")

ACCOUNTS = "crm/accounts"
SUBSCRIPTIONS = "billing/subscriptions"

_NAME = re.compile("[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_FEED_PROPERTIES = {
    "description",
    "key",
    "precedence",
    "max_age_days",
    "event_times",
    "constant_per_key",
    "key_choices",
    "columns",
}
_COLUMN_PROPERTIES = {
    "description",
    "type",
    "required",
    "on_bad_value",
    "values",
    "min",
    "max",
    "format",
    "future",
    "is_open_ended",
    "is_staged",
    "pii",
    "example",
    "aliases",
}


@dataclass(frozen=True)
class Column:
    """One column of a contract; in the file, properties that have a default may be left out.

    `description`: what it means, in one sentence, with its unit. `type`: a key of SQL_TYPES. `required`: a
    file without the column does not land, and a row without a value is refused.
    `refuses_row`: what a bad value costs (`on_bad_value: row` or `value`): the row where scoring reads it and
    the row would say something else without it (an invoice that was never paid), else the value alone; of a
    required column always the row. Bad is a wrong type, an impossible time, a word that is no allowed one.
    `spellings`: of an enumeration, the words that mean an allowed word (`values`), by letters and digits
    alone; a contract lists the spellings of other systems, case and signs make no difference.
    `minimum`, `maximum`: the bounds of a number, both included. `format`: `email`; or `currency`, the three
    letters of one: what is none becomes NO_CURRENCY, so that an amount is never taken for one in USD.
    `future`: a time more than a day after its file landed is bad (`refused`), only `reported`, or `allowed`.
    `is_open_ended`: a date from 2200 on (9999-12-31) means that there is no end, and is read as empty.
    `is_staged`: whether the staging model gives the column on as it landed; false where no model is meant to
    see it, or where it is an amount in some currency, which staging has in USD.
    `pii`: `none`; `identifier` singles out a person; `personal` names or reaches one; `free_text` may hold
    anything. Text, ids and JSON have to say it. `example`: a value as a file may have it.
    `aliases`: the names that loading tools give the column, read where it does not come under its own.
    `is_own`: the contract of the feed names it; else it is one that every feed may carry.
    """

    name: str
    type: str
    required: bool
    refuses_row: bool
    is_open_ended: bool = False
    spellings: dict[str, str] = field(default_factory=dict, compare=False)
    aliases: tuple[str, ...] = ()
    description: str = ""
    minimum: int | float | None = None
    maximum: int | float | None = None
    format: str | None = None
    future: str = REFUSED
    is_staged: bool = True
    pii: str = "none"
    example: str = ""
    is_own: bool = True
    line: int = field(default=0, compare=False)

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

    `key`: what identifies a fact. `precedence`: which of several rows of a key is true: the one with the
    newest `updated_at`, then the last landed; the `last_landed`; or `every_row` lands and counts, also one
    that says the same again (the roll-up distinguishes events; identities must show who claimed what).
    `max_age_days`: the days without a new file after which it is stale, as seeds/feeds.csv ships it.
    `event_times`: when its facts happened, where they keep coming: the newest of them says how old the feed
    is, however new its files are. Feeds of states (accounts, contacts) have none: nothing has to change.
    `constant_per_key`: what a fact has only one of. Two rows of a key of which it differs cannot be versions
    of one fact: the key is not unique, and the check key_conflicts says so.
    `date_order`: day_first or month_first, where a file does not prove it, as seeds/feeds.csv sets it.
    `key_choices`: columns that `key` of seeds/feeds.csv may add to the key, for ids that are unique only
    together with them. Events alone have it: rows of other feeds are named by their id in other feeds' files.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    precedence: str
    event_times: tuple[str, ...] = ()
    constant_per_key: tuple[str, ...] = ()
    key_choices: tuple[str, ...] = ()
    max_age_days: int | None = None
    date_order: str | None = None
    description: str = ""
    file: Path = field(default=CONTRACTS, compare=False)

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
    def staging_model(self) -> str:
        """The dbt model that reads the table first."""
        return f"stg_{self.source}__{self.feed}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """The columns of the contract, in its order."""
        return tuple(column.name for column in self.columns)

    @property
    def lands_every_row(self) -> bool:
        """Whether a row lands that repeats what its key already says; elsewhere it is only counted."""
        return self.precedence == EVERY_ROW

    @property
    def entity_key(self) -> tuple[str, ...]:
        """What distinguishes two things, whatever their version: the key without `updated_at`."""
        return tuple(name for name in self.key if name != "updated_at")

    @property
    def is_read_as_of(self) -> bool:
        """Whether a day reads the version of that day, and not the newest of all."""
        return self.name in (ACCOUNTS, SUBSCRIPTIONS)

    @property
    def has_versions(self) -> bool:
        """Whether a thing comes again as it changes, with another `updated_at`."""
        return self.precedence == UPDATED_AT

    @property
    def id_columns(self) -> tuple[str, ...]:
        """The columns that hold an id, not a name."""
        return tuple(one.name for one in self.columns if one.type == "id" and one.name.endswith("_id"))

    @property
    def version_key(self) -> tuple[str, ...]:
        """What distinguishes two versions of a fact: the key, and updated_at where the feed has it."""
        return (*self.entity_key, "updated_at") if self.has_versions else self.key

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
            return "a column is in the key twice", "keep one of them"
        if not set(self.key) <= set(names):
            return f"the key lacks {own}", f"name {own} too; without it events cannot be distinguished"
        wrong = [name for name in names if name not in (*self.key, *self.key_choices)]
        if wrong:
            what = f"{wrong[0]} describes an event and does not distinguish it from another"
            return what, f"name columns among {choices}"
        return None

    def with_key(self, named: str) -> Feed:
        """The feed with a key that has no problem, in the order of the contract.

        A fact of it then has one time too: ids that begin again every day are no versions of one fact.
        """
        key = tuple(name for name in self.column_names if name in named.split())
        constant = tuple(name for name in (*self.constant_per_key, *self.event_times) if name not in key)
        return replace(self, key=key, constant_per_key=constant)


@cache
def load_feeds(folder: Path = CONTRACTS) -> dict[str, Feed]:
    """The contracts of a folder, by the name of their feed. Raises UsageError with file and line."""
    every = folder / EVERY_FEED
    common = read_located(every).fields({"columns"}, EVERY_FEED)["columns"] if every.is_file() else None
    feeds: dict[str, Feed] = {}
    for file in sorted(folder.glob("*.y*ml")):
        if file.name == EVERY_FEED:
            continue
        feed = _feed(file, common)
        same = next((other for other in feeds.values() if other.raw_table == feed.raw_table), None)
        if same:
            raise UsageError(
                f"its table {feed.raw_table} is that of {same.name}", "give it another name", file=file
            )
        feeds[feed.name] = feed
    if ACCOUNTS not in feeds:
        raise UsageError(f"there is no contract of {ACCOUNTS}", "restore crm__accounts.yml", file=folder)
    return feeds


def feeds_of(seeds: Path) -> dict[str, Feed]:
    """The feeds with keys and date orders as the installation's `feeds.csv` says. Raises InputError."""
    feeds = dict(load_feeds())
    for number, (name, key, date_order) in enumerate(_settings_of_feeds(seeds / "feeds.csv"), start=1):
        if name not in feeds:
            continue
        if date_order:
            if date_order not in DATE_ORDERS:
                raise InputError(
                    f"'{date_order}' is no order of dates",
                    f"write {' or '.join(DATE_ORDERS)}, or nothing",
                    file="feeds.csv",
                    row=number,
                    column="date_order",
                )
            feeds[name] = replace(feeds[name], date_order=date_order)
        if not key:
            continue
        problem = feeds[name].key_problem(key)
        if problem:
            raise InputError(*problem, file="feeds.csv", row=number, column="key")
        feeds[name] = feeds[name].with_key(key)
    return feeds


def rows_of_feeds(seeds: Path) -> dict[str, int]:
    """The row of each feed in the installation's `feeds.csv`, counted from 1."""
    return {
        name: number for number, (name, *_) in enumerate(_settings_of_feeds(seeds / "feeds.csv"), start=1)
    }


def _settings_of_feeds(file: Path) -> list[tuple[str, ...]]:
    """Feed, key and date order of every row; files of earlier releases have the feed alone."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return [
            tuple((row.get(name) or "").strip() for name in ("feed", "key", "date_order"))
            for row in csv.DictReader(lines)
        ]


def _feed(file: Path, common: Located | None) -> Feed:
    source, separator, feed = file.stem.partition("__")
    if not (separator and _NAME.fullmatch(source) and _NAME.fullmatch(feed) and file.suffix == ".yml"):
        raise UsageError("it is named for no feed", "name the file <source>__<feed>.yml", file=file)
    contract = read_located(file)
    at = contract.fields(_FEED_PROPERTIES, "a contract")
    for name in ("description", "key", "precedence", "max_age_days", "columns"):
        if name not in at:
            raise contract.error(f"the contract has no {name}", f"add a line that begins with `{name}:`")
    columns = _columns(at["columns"], common)
    names = {column.name for column in columns}
    lists = {
        part: at[part].names(part) if part in at else ()
        for part in ("key", "event_times", "constant_per_key", "key_choices")
    }
    for part, listed in lists.items():
        unknown = [name for name in listed if name not in names]
        if unknown:
            raise at[part].error(f"{part} names {unknown[0]}, which is no column", "name columns of the feed")
    for column in columns:
        if column.name in lists["key"] and not column.required:
            problem = f"{column.name} is part of the key and not required"
            raise at["key"].error(problem, f"write required: true at {column.name}")
    if not lists["key"]:
        raise at["key"].error("the key names no column", "name what identifies a row")
    precedence = _one_of(at["precedence"], PRECEDENCES, "precedence")
    if (precedence == UPDATED_AT) != ("updated_at" in names):
        raise at["precedence"].error(
            f"precedence is {precedence}, and the feed has {'a' if 'updated_at' in names else 'no'} column"
            " updated_at",
            f"write {UPDATED_AT} where it has one, else {LAST_LANDED} or {EVERY_ROW}",
        )
    age = at["max_age_days"]
    if not (age.value is None or (type(age.value) is int and age.value > 0)):
        raise age.error(f"max_age_days is {age.text}", "write a whole number of days, or null for never")
    return Feed(
        name=f"{source}/{feed}",
        key=lists["key"],
        columns=columns,
        precedence=precedence,
        event_times=lists["event_times"],
        constant_per_key=lists["constant_per_key"],
        key_choices=lists["key_choices"],
        max_age_days=age.value,
        description=_sentence(at["description"], "description"),
        file=file,
    )


def _columns(at: Located, common: Located | None) -> tuple[Column, ...]:
    own = at.value if isinstance(at.value, dict) else {}
    if not own:
        raise at.error("columns names no column", "write each as `name:` with its properties below")
    shared = common.value if common else {}
    found = []
    for name, spec in own.items():
        if name in shared and isinstance(spec.value, dict):
            spec = replace(spec, value={**shared[name].value, **spec.value})  # noqa: PLW2901
        found.append(_column(name, spec))
    others = (_column(name, spec) for name, spec in shared.items() if name not in own)
    return (*found, *(replace(column, is_own=False) for column in others))


def _column(name: str, spec: Located) -> Column:
    what = f"column {name}"
    if not _NAME.fullmatch(name):
        raise spec.error(f"{what} has no name for a column", "use small letters, digits and underscores")
    at = spec.fields(_COLUMN_PROPERTIES, what)
    if "description" not in at or "type" not in at:
        lacking = "type" if "description" in at else "description"
        raise spec.error(f"{what} has no {lacking}", f"add a line that begins with `{lacking}:`")
    kind = _one_of(at["type"], tuple(SQL_TYPES), f"the type of {what}")
    required = _truth(at.get("required"), what)
    _require_fitting(at, kind, what)
    cost = _one_of(at["on_bad_value"], ("row", "value"), "on_bad_value") if "on_bad_value" in at else None
    if required and cost:
        problem = f"{what} is required, so a bad value always costs the row"
        raise at["on_bad_value"].error(problem, "take on_bad_value away")
    if kind in PERSONAL and "pii" not in at:
        raise spec.error(f"{what} does not say whether it holds personal data", _choices("pii", PII_CLASSES))
    column = Column(
        name=name,
        type=kind,
        required=required,
        refuses_row=required or cost == "row",
        is_open_ended=_truth(at.get("is_open_ended"), what),
        spellings=_spellings(at["values"], what) if kind == "enum" else {},
        aliases=at["aliases"].names("aliases") if "aliases" in at else (),
        description=_sentence(at["description"], what),
        minimum=_number(at.get("min"), what),
        maximum=_number(at.get("max"), what),
        format=_one_of(at["format"], FORMATS, "format") if "format" in at else None,
        future=_one_of(at["future"], (REFUSED, REPORTED, ALLOWED), "future") if "future" in at else REFUSED,
        is_staged="is_staged" not in at or _truth(at["is_staged"], what),
        pii=_one_of(at["pii"], PII_CLASSES, "pii") if "pii" in at else "none",
        example=at["example"].text if "example" in at else "",
        line=spec.line,
    )
    if not is_valid(column, column.example):
        lines = at.get("example", spec)
        raise lines.error(
            f"the example of {what} is {column.example or 'missing'}, which is no good value of it",
            "give a value that would land",
        )
    return column


_PROPERTIES_OF_TYPES = {
    "values": ("enum",),
    "min": NUMBERS,
    "max": NUMBERS,
    "format": ("text",),
    "future": TIMES,
    "is_open_ended": TIMES,
}


def _require_fitting(at: dict[str, Located], kind: str, what: str) -> None:
    for name, kinds in _PROPERTIES_OF_TYPES.items():
        if name in at and kind not in kinds:
            raise at[name].error(
                f"{what} has {name}, and is of type {kind}", f"only {' and '.join(kinds)} take it"
            )
    if kind == "enum" and "values" not in at:
        raise at["type"].error(f"{what} is an enum without values", "list its words under `values:`")


def _spellings(at: Located, what: str) -> dict[str, str]:
    """Folded spelling -> allowed word. `values` is a list of words, or maps each to other spellings."""
    if isinstance(at.value, dict):
        words = {word: (others, others.names(f"values of {what}")) for word, others in at.value.items()}
    else:
        words = dict.fromkeys(at.names(f"values of {what}"), (at, ()))
    found: dict[str, str] = {}
    for word, (location, others) in words.items():
        if not _NAME.fullmatch(word):
            raise location.error(
                f"values of {what}: '{word}' is no word", "use small letters, digits and underscores"
            )
        for spelling in (word, *others):
            other = found.setdefault(fold(spelling), word)
            if other != word:
                raise location.error(f"values of {what}: '{spelling}' means {other} and {word}", "keep one")
    if not found:
        raise at.error(f"values of {what} are missing", "list its words")
    return found


def is_valid(column: Column, text: str) -> bool:
    """Whether the text is a good value of the column in a file; empty is one of an optional column."""
    if not text:
        return not column.required
    try:
        match column.type:
            case "enum":
                return fold(text) in column.spellings
            case "timestamp":
                datetime.fromisoformat(text)
            case "date":
                date.fromisoformat(text)
            case "bool":
                return text in ("true", "false")
            case "int" | "decimal":
                number, least, most = Decimal(text), column.minimum, column.maximum
                return (
                    abs(number) < MOST_OF_NUMBERS
                    and (least is None or number >= Decimal(str(least)))
                    and (most is None or number <= Decimal(str(most)))
                    and (column.type == "decimal" or number == int(number))
                )
            case "json":
                json.loads(text)
    except (ValueError, InvalidOperation):
        return False
    return True


def _one_of(at: Located, allowed: tuple[str, ...], what: str) -> str:
    if at.value not in allowed:
        raise at.error(f"{what} is {at.text or 'no single word'}", _choices(what, allowed))
    return str(at.value)


def _choices(what: str, allowed: Iterable[str]) -> str:
    return f"{what} is one of {', '.join(allowed)}"


def _truth(at: Located | None, what: str) -> bool:
    if at is None:
        return False
    if not isinstance(at.value, bool):
        raise at.error(f"{what}: '{at.text}' is no truth value", "write true or false")
    return at.value


def _number(at: Located | None, what: str) -> int | float | None:
    if at is None:
        return None
    if type(at.value) not in (int, float):
        raise at.error(f"{what}: the bound '{at.text}' is no number", "write a number, without quotes")
    return at.value  # type: ignore[no-any-return]


def _sentence(at: Located, what: str) -> str:
    if not isinstance(at.value, str) or not at.value.strip():
        raise at.error(f"the description of {what} is no text", "say in one sentence what it means")
    return " ".join(at.value.split())


def fold(word: str) -> str:
    """Lower case, letters and digits alone: what spellings are compared by."""
    return re.sub("[^a-z0-9]", "", word.lower())
