"""The process that reads relations: the new rows of one into a Parquet file, which then lands as any file.

It connects, counts and copies within one transaction, so that what is counted is what is copied; where the
connection breaks, nothing lands. `readers` starts it, gives it the connection string by its input alone and
takes its answer, in lines of JSON. No text of a database server is passed on: it may hold the connection
string or a customer's values.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import InputError
from radar.landing import casts
from radar.landing.adapters import nearest_names
from radar.landing.reader import READY
from radar.landing.sources import identifier, quoted
from radar.landing.tables import KINDS, Kind

BATCH, KEYS = "batch.parquet", "keys.parquet"
BACKWARDS, LATE = "backwards", "late"
_TIMES = ("TIMESTAMP", "DATE")
_COPY = "format parquet, compression uncompressed, row_group_size 16384, string_dictionary_page_size_limit 1"
_SYSTEM_SCHEMAS = ("information_schema", "pg_catalog", "mysql", "performance_schema", "sys")
_FUTURE = timedelta(days=1)  # as the contract bears with clocks

_AGAIN = "the next run reads the relation from where this one began"
_PROBLEMS = (
    # what a database says -> what is wrong, and what to do; {relation}, {where} and {variable} are filled in
    (
        r"permission denied|command denied|access denied for .* to table|not authorized",
        "the user of {where} has no right to read it",
        "let the owner of the database grant it: grant select on {relation} to that user",
    ),
    (
        r"authentication failed|access denied|role .* does not exist|no pg_hba|no password supplied|token",
        "{where} does not let Radar in",
        "correct user and password in {where}",
    ),
    (
        r"database .* does not exist|unknown database",
        "{where} names a database that is not there",
        "correct the name of the database in {where}",
    ),
    (
        r"server closed|terminating connection|connection .*(lost|reset|closed)|gone away|broken pipe|"
        r"no connection to the server|eof detected|could not receive|shutting down",
        "the connection broke while it was read, so nothing of it landed",
        "see that the server runs; " + _AGAIN,
    ),
    (
        r"connection refused|could not translate|timeout expired|timed out|no route|is the server running|"
        r"can't connect|unknown .*host|network is unreachable|unable to connect",
        "the server that {where} names cannot be reached",
        "see that it runs, and correct host and port in {where}; " + _AGAIN,
    ),
    (
        r"could not set lock|database is locked|conflicting lock",
        "another program is writing the file",
        "read a copy that is made after the program has written; " + _AGAIN,
    ),
    (
        r"not a valid duckdb|not a database|file header|no magic bytes|too small to be a parquet",
        "the file is of another type than tables.yml says, or damaged",
        "correct type or path of the database in tables.yml",
    ),
    (
        r"no space left|disk full",
        "the disk is full",
        "free some space and run again",
    ),
)


@dataclass(frozen=True)
class State:
    """What the last run that landed saw: its newest `loaded_at`, and how many rows the next does not read."""

    watermark: str
    rows_behind: int


@dataclass(frozen=True)
class TableRequest:
    """What to read into `folder`. `address`: a path, or a connection string, which `variable` has.

    `key`: columns that name a row; `likely_key`: those that do where there are no such, as far as they exist.
    """

    type: str
    address: str
    variable: str
    relation: str
    loaded_at: str | None
    key: tuple[str, ...]
    likely_key: tuple[str, ...]
    overlap_minutes: float
    now: str
    folder: str
    state: dict[str, Any] | None

    @property
    def kind(self) -> Kind:
        """What the database takes."""
        return KINDS[self.type]


def main() -> None:
    """Answer one request. The argument is the memory that reading may take, in bytes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run, which then ends this process
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # no library writes among the answers
    answers.write(READY.decode())
    answers.flush()
    for line in sys.stdin:
        answer = answer_to(TableRequest(**json.loads(line)), int(sys.argv[1]))
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def answer_to(request: TableRequest, memory: int) -> dict[str, Any]:
    """The batch and what was counted, or what is wrong with the relation."""
    try:
        return _Relation(request, memory).read()
    except InputError as error:
        return {"refusal": [error.problem, error.remedy, error.row, error.column]}
    except (MemoryError, duckdb.OutOfMemoryException):
        return {"limit": "memory"}
    except duckdb.Error as error:
        return {"refusal": [*explained(request, str(error), type(error).__name__), None, None]}


def explained(request: TableRequest, text: str, name: str) -> tuple[str, str]:
    """What is wrong and what to do, in words of ours: the server's may hold secrets and values."""
    filling = {"relation": request.relation, "where": request.variable or "the file"}
    for pattern, problem, remedy in _PROBLEMS:
        if re.search(pattern, text, re.IGNORECASE | re.DOTALL):
            return problem.format(**filling), remedy.format(**filling)
    return (
        f"cannot be read ({name} of the database, whose words may hold secrets and are not shown)",
        f"read it with DuckDB's own command line (type {request.type}), as the user that runs Radar",
    )


class _Relation:
    def __init__(self, request: TableRequest, memory: int) -> None:
        self._request = request
        self._folder = Path(request.folder)
        self._con = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,  # so that rows keep their order
                "memory_limit": f"{memory * 3 // 4 >> 20}MiB",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "python_enable_replacements": "false",
            },
        )
        self._con.execute("set TimeZone = 'UTC'")
        self._con.execute(f"set temp_directory = {quoted(str(self._folder / 'spill'))}")

    def read(self) -> dict[str, Any]:
        """Copy the rows that are new, and count."""
        self._sql = self._opened()
        self._con.execute("begin transaction")
        columns = self._columns()
        loaded_at = self._column(columns, self._request.loaded_at, "loaded_at")
        self._key = [self._column(columns, name, "key") for name in self._request.key] or [
            name for name in columns if name.lower() in self._request.likely_key
        ]
        self._at = self._time(loaded_at, columns) if loaded_at else None
        answer = self._counted()
        self._copy(columns, answer.pop("lower"))
        answer["rows"] = self._one(f"select count(*) from {self._batch}")[0]
        answer["behind"] = self._behind(answer["watermark"])
        self._con.execute("rollback")
        return {**answer, "columns": columns}

    # what is there

    def _opened(self) -> str:
        """Attach or find the relation; the SQL that names it."""
        request, con = self._request, self._con
        for extension in request.kind.extensions:
            load_extension(con, extension, request.type)
        if request.kind.is_folder:
            return self._opened_folder()
        if not request.kind.is_remote and not Path(request.address).is_file():
            raise InputError(
                f"there is no file {request.address}", "correct the path of the database in tables.yml"
            )
        kind = "" if request.type in ("duckdb", "motherduck") else f"type {request.type}, "
        con.execute(f"attach {quoted(request.address)} as source ({kind}read_only)")
        self._shut([request.address] if not request.kind.is_remote else [])
        return ".".join(identifier(part) for part in ("source", *request.relation.split(".")))

    def _opened_folder(self) -> str:
        request = self._request
        root = Path(request.address)
        path = root / request.relation
        if not path.exists():
            near = [one.name for one in root.iterdir()] if root.is_dir() else []
            what = f"the nearest in {root} are {nearest_names(path.name, near)}" if near else ""
            raise InputError(
                f"there is no folder {path}", what or "correct the path of the database in tables.yml"
            )
        if request.type != "parquet":
            self._shut([str(path)])
            return f"{request.type}_scan({quoted(str(path))})"
        if path.is_dir() and not any(path.rglob("*.parquet")):
            raise InputError(f"the folder {path} has no file that ends in .parquet", "correct the relation")
        self._shut([str(path)])
        pattern = f"{path}/**/*.parquet" if path.is_dir() else str(path)
        return f"read_parquet({quoted(pattern)}, union_by_name = true)"

    def _shut(self, paths: list[str]) -> None:
        """Let nothing that the relation is made of, such as a view, read another file of this machine."""
        allowed = [path for path in paths if Path(path).is_dir()] + [str(self._folder)]
        self._con.execute(f"set allowed_directories = [{', '.join(map(quoted, allowed))}]")
        self._con.execute(f"set allowed_paths = [{', '.join(map(quoted, paths))}]")
        self._con.execute("set enable_external_access = false")

    def _columns(self) -> dict[str, str]:
        try:
            described = self._con.execute(f"describe select * from {self._sql}").fetchall()
        except duckdb.CatalogException as error:
            raise self._unknown_relation() from error
        return {row[0]: row[1] for row in described}

    def _unknown_relation(self) -> InputError:
        query = """
            select schema_name, table_name from duckdb_tables() where database_name = 'source'
            union all
            select schema_name, view_name from duckdb_views() where database_name = 'source' and not internal
        """
        known = [row for row in self._con.execute(query).fetchall() if row[0] not in _SYSTEM_SCHEMAS]
        has_schema = "." in self._request.relation
        names = sorted({f"{schema}.{name}" if has_schema else name for schema, name in known})
        return InputError(
            "there is no such relation, or its user may not see it",
            f"the nearest are {nearest_names(self._request.relation, names[:1000])}"
            if names
            else "the database shows no relation at all: grant its user the right to read them",
        )

    def _column(self, columns: dict[str, str], name: str | None, what: str) -> str:
        if not name:
            return ""
        found = [one for one in columns if one.lower() == name.lower()]
        if not found:
            raise InputError(
                f"it has no column {name}, which tables.yml names as {what}",
                f"the nearest are {nearest_names(name, [*columns])}",
                column=name,
            )
        return found[0]

    def _time(self, column: str, columns: dict[str, str]) -> str:
        """The expression of the watermark. Text is read as times."""
        sql_type = columns[column]
        if sql_type.startswith(_TIMES):
            return identifier(column)
        if sql_type == "VARCHAR":
            value = f"try_cast({identifier(column)} as timestamptz)"
            filled, times = self._one(f"select count({identifier(column)}), count({value}) from {self._sql}")
            if times or not filled:
                return value
        raise InputError(
            f"loaded_at is of type {sql_type} and holds no times",
            "name a column of times as loaded_at, or none: then all of it is read by each run",
            column=column,
        )

    # which rows

    def _counted(self) -> dict[str, Any]:
        """Counts of the relation, from when on it is read (`lower`), and why from its start (`reread`)."""
        state = State(**self._request.state) if self._request.state else None
        if not self._at:
            (total,) = self._one(f"select count(*) from {self._sql}")
            return {"total": total, "empty": 0, "future": 0, "watermark": None, "newest": None,
                    "behind_before": None, "reread": None, "lower": None}  # fmt: skip
        now = datetime.fromisoformat(self._request.now)
        lower = self._before(state.watermark) if state else None
        behind = f"count(*) filter (where {self._at} < {_time(lower)})" if lower else "null"
        total, filled, future, watermark, newest, behind_before = self._one(f"""
            select
                count(*),
                count({self._at}),
                count(*) filter (where {self._at} > {_time(now + _FUTURE)}),
                cast(max({self._at}) filter (where {self._at} <= {_time(now)}) as timestamp),
                cast(max({self._at}) as varchar),
                {behind}
            from {self._sql}
        """)
        reread = None
        if state and total and (watermark is None or watermark < datetime.fromisoformat(state.watermark)):
            reread = BACKWARDS
        elif state and behind_before > state.rows_behind:
            reread = LATE
        return {
            "total": total,
            "empty": total - filled,
            "future": future,
            "watermark": watermark.isoformat() if watermark else None,
            "newest": newest,
            "behind_before": behind_before,
            "reread": reread,
            "lower": None if reread else lower,
        }

    def _before(self, watermark: str) -> datetime:
        return datetime.fromisoformat(watermark) - timedelta(minutes=self._request.overlap_minutes)

    def _behind(self, watermark: str | None) -> int:
        """How many rows the next run will not read."""
        if not watermark or not self._at:
            return 0
        query = f"select count(*) from {self._sql} where {self._at} < {_time(self._before(watermark))}"
        return int(self._one(query)[0])

    def _copy(self, columns: dict[str, str], lower: datetime | None) -> None:
        """The rows in an order that depends on them alone, so that the same rows are the same file."""
        lowered = [name.lower() for name in columns]
        named = [name.lower() if lowered.count(name.lower()) == 1 else name for name in columns]
        select = ", ".join(
            f"{identifier(name)} as {identifier(shown)}" for name, shown in zip(columns, named, strict=True)
        )
        rows = f"select * from {self._sql}"
        if lower:  # a union, as a database does not take an `or` for a filter of its own
            rows = f"{rows} where {self._at} >= {_time(lower)} union all {rows} where {self._at} is null"
        order = f"{self._at} nulls first, " if self._at else ""
        query = f"select {select} from ({rows}) order by {order}columns(*)"
        self._con.execute(f"copy ({query}) to {quoted(str(self._folder / BATCH))} ({_COPY})")
        texts = ", ".join(f"cast({identifier(name.lower())} as varchar)" for name in self._key)
        key = f"concat_ws(' ', {texts})" if texts else "cast(null as varchar)"
        self._con.execute(f"""
            copy (
                select
                    row_number,
                    case when row_key like '%@%' then {casts.masked("row_key")} else row_key end as row_key
                from (select row_number() over () as row_number, nullif({key}, '') as row_key
                    from {self._batch})
            ) to {quoted(str(self._folder / KEYS))} (format parquet)
        """)

    @property
    def _batch(self) -> str:
        return f"read_parquet({quoted(str(self._folder / BATCH))}, hive_partitioning = false)"

    def _one(self, query: str) -> tuple[Any, ...]:
        return self._con.execute(query).fetchone() or ()


def _time(at: datetime) -> str:
    return f"timestamptz '{at.isoformat(sep=' ')}+00'"


def load_extension(con: duckdb.DuckDBPyConnection, name: str, kind: str) -> None:
    """Load an extension of DuckDB from its package, else from DuckDB's own folder. Nothing is downloaded."""
    spec = find_spec(f"duckdb_extension_{name}")
    try:
        if spec and spec.origin:
            folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
            con.execute(f"load {quoted(str(folder / f'{name}.duckdb_extension'))}")
        else:
            con.execute(f"load {name}")
    except duckdb.Error as error:
        package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
        raise InputError(
            f"reading {kind} needs DuckDB's extension {name}, which is not there for {duckdb.__version__}",
            f"install it next to Radar: pip install {package}; where no package has it, "
            f"install {name} once with DuckDB, as the user that runs Radar",
        ) from error


if __name__ == "__main__":
    main()
