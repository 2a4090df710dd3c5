"""The relations that are read in place of files, as `tables.yml` names them; see docs/tables.md.

Nothing here connects to anything. How a relation is read is in `table_reader`, how its rows land in
`land_tables`. Secrets are never in the file: it names the environment variables that have them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from radar.core.errors import InputError, UsageError
from radar.landing.adapters import load_adapters, nearest_names
from radar.landing.feeds import load_feeds
from radar.landing.files import GLOB_CHARACTERS
from radar.landing.located_yaml import Located, read_located

FOLDER = "tables"
"""What `source_file` begins with where rows come from a relation; no source and no vendor is called so."""
OVERLAP_MINUTES = 60

_NAME = re.compile("[a-z][a-z0-9_]*")
_VARIABLE = re.compile("[A-Z][A-Z0-9_]*")
_DATABASE_PROPERTIES = {"type", "path", "connection_env"}
_TABLE_PROPERTIES = {"database", "relation", "feed", "adapter", "loaded_at", "key", "overlap_minutes"}


@dataclass(frozen=True)
class Kind:
    """A kind of database. `extensions`: of DuckDB, those that it needs. `is_remote`: reached by a connection.

    `is_folder`: relations are folders below its path.
    """

    extensions: tuple[str, ...] = ()
    is_remote: bool = False
    is_folder: bool = False


KINDS = {
    "duckdb": Kind(),
    "sqlite": Kind(("sqlite_scanner",)),
    "parquet": Kind(is_folder=True),
    "delta": Kind(("delta",), is_folder=True),
    "iceberg": Kind(("avro", "iceberg"), is_folder=True),
    "postgres": Kind(("postgres_scanner",), is_remote=True),
    "mysql": Kind(("mysql_scanner",), is_remote=True),
    "motherduck": Kind(("motherduck",), is_remote=True),
    "snowflake": Kind(("snowflake",), is_remote=True),
    "bigquery": Kind(("bigquery",), is_remote=True),
}


@dataclass(frozen=True)
class Database:
    """Where relations are. `path`: of a file or folder; `variable`: which has the connection string."""

    name: str
    type: str
    path: Path | None = None
    variable: str = ""

    @property
    def kind(self) -> Kind:
        """What reading it takes."""
        return KINDS[self.type]

    def address(self, source_file: str) -> str:
        """The path or the connection string. Raises InputError where the variable is not set."""
        if self.path:
            return str(self.path)
        connection = os.environ.get(self.variable, "").strip()
        if not connection:
            raise InputError(
                f"{self.variable} is not set, which has the connection string of {self.name}",
                f"set {self.variable} in the environment of Radar, for example in its .env file",
                file=source_file,
            )
        return connection


@dataclass(frozen=True)
class Table:
    """A relation that is read as one feed. `loaded_at`: the column that says when a row came, or changed.

    `key`: columns by which quarantine names a row; empty: those of the feed. Rows whose `loaded_at` is up to
    `overlap_minutes` before the newest one that was read are read again: transactions end out of order.
    """

    database: Database
    relation: str
    feed: str
    adapter: str | None
    loaded_at: str | None
    key: tuple[str, ...]
    overlap_minutes: float

    @property
    def source_file(self) -> str:
        """What is recorded in the place of a file's name."""
        return f"{FOLDER}/{self.database.name}/{self.relation}"


def load_tables(file: Path, *, is_required: bool = False) -> tuple[Table, ...]:
    """The tables, one for each feed that a relation makes, in the order of the file; none without a file.

    Raises UsageError with file and line. A value is not repeated where it may be a secret.
    """
    if not file.exists():
        if is_required:
            raise UsageError("there is no such file of tables", "correct RADAR_TABLES", file=file)
        return ()
    at = read_located(file).fields({"databases", "tables"}, "the file")
    for name in ("databases", "tables"):
        if name not in at:
            raise UsageError(f"it names no {name}", f"add `{name}:`; see docs/tables.md", file=file)
    if not isinstance(at["databases"].value, dict) or not isinstance(at["tables"].value, list):
        raise UsageError(
            "databases is no mapping, or tables no list", "write it as in docs/tables.md", file=file
        )
    databases = {name: _database(name, spec) for name, spec in at["databases"].value.items()}
    tables: dict[tuple[str, str], Table] = {}
    for spec in at["tables"].value:
        for table in _tables(spec, databases):
            key = (table.source_file, table.feed)
            if key in tables:
                raise spec.error(f"{table.relation} is read as {table.feed} twice", "keep one of them")
            tables[key] = table
    return tuple(tables.values())


def _database(name: str, spec: Located) -> Database:
    if not _NAME.fullmatch(name):
        raise spec.error(f"{name} is no name of a database", "use small letters, digits and underscores")
    at = spec.fields(_DATABASE_PROPERTIES, f"database {name}")
    kind = _text(at, "type", spec, f"database {name}")
    if kind not in KINDS:
        raise at["type"].error(
            f"{kind} is no type of database that is read", f"the nearest are {nearest_names(kind, [*KINDS])}"
        )
    if KINDS[kind].is_remote:
        if "path" in at:
            raise at["path"].error(
                f"{name} is of type {kind} and has a path", "write connection_env in its place"
            )
        variable = _text(at, "connection_env", spec, f"database {name}")
        if not _VARIABLE.fullmatch(variable):
            raise at["connection_env"].error(
                "connection_env is no name of an environment variable (its value is not shown)",
                "write the name of a variable, such as RADAR_APP_DATABASE, and put the connection string "
                "into that; where a password stood here, change it",
            )
        return Database(name, kind, variable=variable)
    if "connection_env" in at:
        raise at["connection_env"].error(
            f"{name} is of type {kind}, which has no connection", "write path in its place"
        )
    path = Path(_text(at, "path", spec, f"database {name}")).expanduser()
    if any(character in str(path) for character in GLOB_CHARACTERS):
        raise at["path"].error(
            f"its path holds one of {' '.join(GLOB_CHARACTERS)}", "name one file or folder"
        )
    return Database(name, kind, path=path if path.is_absolute() else spec.file.parent.resolve() / path)


def _tables(spec: Located, databases: dict[str, Database]) -> Iterator[Table]:
    at = spec.fields(_TABLE_PROPERTIES, "a table")
    relation = _text(at, "relation", spec, "a table")
    name = _text(at, "database", spec, relation)
    if name not in databases:
        raise at["database"].error(
            f"{name} is none of the databases above", f"the nearest are {nearest_names(name, [*databases])}"
        )
    database = databases[name]
    _check_relation(at["relation"], relation, database)
    if ("feed" in at) == ("adapter" in at):
        raise spec.error(
            f"{relation} has to name a feed or an adapter, and one alone",
            "write `feed: crm/accounts` where its columns are the feed's, or `adapter: stripe/invoices`",
        )
    overlap = at["overlap_minutes"].value if "overlap_minutes" in at else OVERLAP_MINUTES
    if type(overlap) not in (int, float) or not 0 <= overlap <= 60 * 24 * 366:
        raise at["overlap_minutes"].error(
            "overlap_minutes is no number of minutes", "write a number from 0 to 527040"
        )
    for feed, adapter in _feeds(at):
        yield Table(
            database=database,
            relation=relation,
            feed=feed,
            adapter=adapter,
            loaded_at=_text(at, "loaded_at", spec, relation) if "loaded_at" in at else None,
            key=_key(at),
            overlap_minutes=overlap,
        )


def _check_relation(at: Located, relation: str, database: Database) -> None:
    parts = re.split(r"[/\\]" if database.kind.is_folder else r"[.]", relation)
    if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
        raise at.error(f"{relation} is no relation of a {database.type}", "write schema.name, or a folder")
    if not database.kind.is_folder and len(parts) > 2:
        raise at.error(f"{relation} has more than a schema and a name", "name the database in its connection")
    if database.kind.is_folder and any(character in relation for character in GLOB_CHARACTERS):
        raise at.error(f"its name holds one of {' '.join(GLOB_CHARACTERS)}", "name one folder")


def _feeds(at: dict[str, Located]) -> Iterator[tuple[str, str | None]]:
    feeds = load_feeds()
    if "feed" in at:
        name = str(at["feed"].value)
        if name not in feeds:
            near = nearest_names(name, sorted(feeds))
            raise at["feed"].error(f"there is no feed {name}", f"the nearest are {near}")
        yield name, None
        return
    name = str(at["adapter"].value)
    if name not in load_adapters():
        raise at["adapter"].error(
            f"there is no adapter {name}",
            f"the nearest are {nearest_names(name, sorted(load_adapters()))}; docs/sources.md adds one",
        )
    for adapter in load_adapters()[name]:
        yield adapter.feed, adapter.name


def _key(at: dict[str, Located]) -> tuple[str, ...]:
    if "key" not in at:
        return ()
    spec = at["key"]
    return (spec.value,) if isinstance(spec.value, str) else spec.names("key")


def _text(at: dict[str, Located], name: str, spec: Located, what: str) -> str:
    if name not in at:
        raise spec.error(f"{what} has no {name}", f"add `{name}:`")
    if not isinstance(at[name].value, str) or not at[name].value.strip():
        raise at[name].error(f"{what}: {name} is no text", "write a text")
    return str(at[name].value).strip()
