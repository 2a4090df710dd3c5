"""Sets of files for CRMs: the accounts that changed since a destination was last given them.

One folder per profile, as-of date and run, complete or not there at all:

    <out>/<profile>/<as-of date>_<run id>/
      <profile>_<as-of date>_001.csv ...   for the machine; header only where nothing changed
      rejected.csv                         for a person: cells that a machine must not be given
      manifest.json                        written last: what the folder holds

The set is made in a hidden folder beside its place and renamed into it; only then do `audit.export_state` and
`audit.exports` move. So a run that dies leaves no half set, and what it did not record goes out again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import duckdb

from exports.profiles import Column, Profile, check_against_mart, load_profiles
from radar.errors import CheckError, InputError, UsageError, WarehouseError
from radar.warehouse import connect, readable_os_errors, writer_lock

REJECTED = "rejected.csv"
MANIFEST = "manifest.json"
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BATCH = 5_000
_LINE_ENDINGS = {"lf": "\n", "crlf": "\r\n"}
_PROBLEMS = {
    "formula": "a spreadsheet would run it as a formula, or an import would cut it",
    "number": "is not a number that can be written in full",
    "nul": "holds a NUL character",
}
_QUERIES: dict[str, str] = dict(
    re.findall(
        r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)",
        Path(__file__).with_name("queries.sql").read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
)
_REMEDY = "correct the value at its source; the account is exported with the next run"


@dataclass(frozen=True)
class ExportReport:
    """One set of files. `rows` and `bytes` count the files for the machine; `sha256` is the manifest's.

    `is_new` is false where the same run had already written this set.
    """

    profile: str
    folder: Path
    as_of_date: date
    rows: int
    rejected_rows: int
    bytes: int
    sha256: str
    files: tuple[str, ...]
    is_new: bool
    seconds: float


def export(
    warehouse: Path,
    out: Path,
    *,
    run_id: str,
    as_of: date,
    profiles: list[str] | None = None,
) -> list[ExportReport]:
    """Write a set of files for each profile (all of them by default), and record it in the warehouse.

    Raises RadarError: an unknown profile or run id, a profile that its mart cannot serve, keys that are empty
    or not unique, a mart of another day, a folder that cannot be written.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", run_id):
        raise UsageError(f"the run id {run_id!r} cannot be part of a folder's name", "use letters and digits")
    chosen = load_profiles(profiles)
    with writer_lock(warehouse), connect(warehouse) as con:
        for name in ("audit_schema", "export_state", "exports"):
            con.execute(_QUERIES[name])
        return [_export_profile(con, profile, out, run_id, as_of) for profile in chosen]


def _export_profile(
    con: duckdb.DuckDBPyConnection, profile: Profile, out: Path, run_id: str, as_of: date
) -> ExportReport:
    started = time.monotonic()
    mart = _columns_of(con, profile)
    check_against_mart(profile, mart)
    _check_day(con, profile, mart, as_of)
    con.execute(changed_rows_query(profile, mart), {"profile": profile.name, "run_id": run_id})
    _check_keys(con, profile)
    relative = Path(profile.name) / f"{as_of.isoformat()}_{run_id}"
    with readable_os_errors(out), _new_folder(out / relative) as folder:
        files, rejected = _write_files(con, profile, folder, as_of)
        manifest = {
            "run_id": run_id,
            "as_of_date": as_of.isoformat(),
            "profile": profile.name,
            "destination": profile.destination,
            "key": next(column.header for column in profile.columns if column.source == profile.key),
            "import_settings": profile.import_settings,
            "follows": _folder_before(con, profile, run_id),
            "files": files,
            "rejected": rejected,
        }
        content = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
        _write_whole(folder / MANIFEST, content)
        is_new = _put_in_place(folder, out / relative, content)
    report = ExportReport(
        profile=profile.name,
        folder=out / relative,
        as_of_date=as_of,
        rows=sum(file["rows"] for file in files),
        rejected_rows=rejected["accounts"],
        bytes=sum(file["bytes"] for file in files),
        sha256=hashlib.sha256(content).hexdigest(),
        files=tuple(file["name"] for file in files),
        is_new=is_new,
        seconds=time.monotonic() - started,
    )
    _record(con, report, relative, run_id, _rules(con, profile, mart))
    return report


# --- which rows, as text ----------------------------------------------------------------------------------


def changed_rows_query(profile: Profile, mart: Mapping[str, str]) -> str:
    """The query that fills the temporary table `changed_rows`; its parameters are `profile` and `run_id`."""
    numbered = list(enumerate(profile.columns))
    problems = [
        _problem(number, column, mart) for number, column in numbered if _can_fail(mart[column.source])
    ]
    compared = [f"{_literal(column.header)}, c{number}" for number, column in numbered if column.compared]
    return _QUERIES["changed_rows"].format(
        source=profile.source,
        key=_text(profile.key, profile, mart),
        label=_text(profile.label, profile, mart),
        problems=", ".join(problems) or "null",
        cells=", ".join(f"{_cell(column, profile, mart)} as c{number}" for number, column in numbered),
        compared=", ".join(compared),
    )


def _cell(column: Column, profile: Profile, mart: Mapping[str, str]) -> str:
    token = profile.dialect.null_token if column.when_null is None else column.when_null
    return f"coalesce({_text(column.source, profile, mart)}, {_literal(token)})"


def _text(name: str, profile: Profile, mart: Mapping[str, str]) -> str:
    """The SQL that writes a value of the mart as the destination reads it; null stays null."""
    dialect, kind, value = profile.dialect, mart[name], f'"{name}"'
    true, false = _literal(dialect.true_token), _literal(dialect.false_token)
    forms = {
        "BOOLEAN": f"case when {value} then {true} when not {value} then {false} end",
        "DATE": f"strftime({value}, {_literal(dialect.date_format)})",
        "TIMESTAMP": f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')",
        "VARCHAR[]": f"array_to_string({value}, {_literal(dialect.list_separator)})",
        "DECIMAL": _without_zeros(value),
        "DOUBLE": f"coalesce({_without_zeros(_decimal(value))}, {value}::varchar)",
        "FLOAT": f"coalesce({_without_zeros(_decimal(value))}, {value}::varchar)",
    }
    return forms.get(kind.split("(")[0], f"{value}::varchar")


def _decimal(value: str) -> str:
    """A double in plain digits; null for NaN, infinities, and what has more than 29 digits."""
    return f"try_cast({value} as decimal(38, 9))"


def _without_zeros(value: str) -> str:
    """80.500000 is 80.5, and 80.000000 is 80."""
    return f"regexp_replace({value}::varchar, '(\\.0+|(\\.[0-9]*[1-9])0+)$', '\\2')"


def _can_fail(kind: str) -> bool:
    return kind in ("DOUBLE", "FLOAT") or kind.startswith(("VARCHAR", "ENUM"))


def _problem(number: int, column: Column, mart: Mapping[str, str]) -> str:
    """The SQL that names what is wrong with a cell, or is null. Only numbers may begin with a sign."""
    kind, value = mart[column.source], f'"{column.source}"'
    if kind in ("DOUBLE", "FLOAT"):
        return f"case when {value} is not null and {_decimal(value)} is null then '{number}:number' end"
    begins = ", ".join(f"chr({ord(character)})" for character in _DANGEROUS)
    text = f"array_to_string({value}, '')" if kind.endswith("[]") else f"{value}::varchar"
    return (
        f"case when left({text}, 1) in ({begins}) then '{number}:formula' "
        f"when contains({text}, chr(0)) then '{number}:nul' end"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _columns_of(con: duckdb.DuckDBPyConnection, profile: Profile) -> dict[str, str]:
    schema, name = profile.source.split(".")
    found = con.execute(_QUERIES["columns"], {"schema": schema, "name": name}).fetchall()
    if not found:
        raise InputError(f"{profile.source} is not in the warehouse", "build the models, then export")
    return dict(found)


def _check_day(
    con: duckdb.DuckDBPyConnection, profile: Profile, mart: Mapping[str, str], as_of: date
) -> None:
    """A snapshot of another day, sent under this one, would overwrite newer scores in the CRM."""
    if "as_of_date" not in mart:
        return
    query = _QUERIES["other_day"].format(source=profile.source)
    others = con.execute(query, {"as_of": as_of}).fetchall()
    if others:
        raise CheckError(
            f"{profile.source} speaks for {others[0][0]}, and the export was asked for {as_of}",
            f"run again with --as-of {others[0][0]}, or build {as_of} first",
        )


def _check_keys(con: duckdb.DuckDBPyConnection, profile: Profile) -> None:
    wrong = con.execute(_QUERIES["wrong_key"]).fetchall()
    if wrong:
        key, times = wrong[0]
        raise CheckError(
            f"{profile.source} has {times} rows with the {profile.key} {key!r}; nothing was exported",
            "the key has to be there and unique: correct the model or its sources, then run again",
            column=profile.key,
        )


# --- the files --------------------------------------------------------------------------------------------


class _File:
    """A CSV file that knows its rows, bytes and hash; each row goes through `write` as one line."""

    def __init__(self, path: Path, profile: Profile) -> None:
        dialect = profile.dialect
        self.path, self.rows, self.bytes = path, 0, 0
        self._hash = hashlib.sha256()
        self._file: BinaryIO = path.open("xb")
        self._line = io.StringIO()
        self._csv = csv.writer(
            self._line, delimiter=dialect.delimiter, lineterminator=_LINE_ENDINGS[dialect.line_ending]
        )
        self._headers = profile.headers
        self._put(self.encode(self._headers), b"\xef\xbb\xbf" if dialect.encoding == "utf-8-sig" else b"")

    def encode(self, cells: Iterable[str]) -> bytes:
        self._line.seek(0)
        self._line.truncate()
        self._csv.writerow(cells)
        return self._line.getvalue().encode()

    def write(self, line: bytes) -> None:
        self._put(line)
        self.rows += 1

    def _put(self, line: bytes, before: bytes = b"") -> None:
        self._file.write(before + line)
        self._hash.update(before + line)
        self.bytes += len(before) + len(line)

    def close(self) -> dict[str, Any]:
        """Bring the file to the disk; what the manifest says of it."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return {
            "name": self.path.name,
            "rows": self.rows,
            "bytes": self.bytes,
            "sha256": self._hash.hexdigest(),
            "columns": self._headers,
        }


def _write_files(
    con: duckdb.DuckDBPyConnection, profile: Profile, folder: Path, as_of: date
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The parts for the machine, and the refused rows; returns the manifest's entries."""

    def part() -> _File:
        return _File(folder / f"{profile.name}_{as_of.isoformat()}_{len(entries) + 1:03d}.csv", profile)

    entries: list[dict[str, Any]] = []
    refused: list[list[str]] = []
    accounts = 0
    current = part()
    for row_key, label, problems, *cells in _rows(con, profile):
        if problems:
            accounts += 1
            refused += _refusals(profile, row_key, label, problems, cells)
            continue
        line = current.encode(cells)
        full = current.rows == profile.limits.rows_per_file
        if full or (current.rows and current.bytes + len(line) > profile.limits.bytes_per_file):
            entries.append(current.close())
            current = part()
        current.write(line)
    entries.append(current.close())
    return entries, {**_write_rejected(folder / REJECTED, refused), "accounts": accounts}


def _rows(con: duckdb.DuckDBPyConnection, profile: Profile) -> Iterator[tuple[str, ...]]:
    cells = ", ".join(f"c{number}" for number in range(len(profile.columns)))
    con.execute(f"select row_key, row_label, problems, {cells} from changed_rows order by row_key")
    while batch := con.fetchmany(_BATCH):
        yield from batch


def _refusals(
    profile: Profile, key: str, label: str | None, problems: str, cells: list[str]
) -> list[list[str]]:
    """One line per cell that cannot go out."""
    lines = []
    for problem in problems.split(" "):
        number, code = problem.split(":")
        column = profile.columns[int(number)]
        lines.append(
            [key, label or "", column.source, column.header, cells[int(number)], _PROBLEMS[code], _REMEDY]
        )
    return lines


def _write_rejected(path: Path, lines: list[list[str]]) -> dict[str, Any]:
    """For a person's spreadsheet: a byte order mark, everything quoted, a leading `'` before a formula."""
    headers = ["account", "name", "column", "header", "cell", "problem", "what_to_do"]
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(headers)
    for line in lines:
        writer.writerow(["'" + cell if cell.startswith(_DANGEROUS) else cell for cell in line])
    content = text.getvalue().encode("utf-8-sig")
    _write_whole(path, content)
    return {
        "name": path.name,
        "rows": len(lines),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "columns": headers,
    }


def _write_whole(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _new_folder(place: Path) -> Iterator[Path]:
    """An empty hidden folder beside `place`; what is left of it, and of those of killed runs, is removed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in place.parent.glob(".new-*"):
        shutil.rmtree(left)
    folder = place.parent / f".new-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(folder: Path, place: Path, manifest: bytes) -> bool:
    """Rename the finished set into its place; False where the very same set stands there already."""
    if (place / MANIFEST).exists():
        if (place / MANIFEST).read_bytes() == manifest:
            return False
        raise WarehouseError(
            "this run has already exported other rows for this day, and somebody may have imported them",
            "start a new run: it gets a folder of its own",
            file=place,
        )
    _sync(folder)
    folder.rename(place)
    _sync(place.parent)
    return True


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- what the warehouse remembers -------------------------------------------------------------------------


def _folder_before(con: duckdb.DuckDBPyConnection, profile: Profile, run_id: str) -> str | None:
    """The set that this one comes after: changes have to be imported in their order."""
    names = {"profile": profile.name, "run_id": run_id}
    found = con.execute(_QUERIES["folder_before"], names).fetchall()
    return str(found[0][0]) if found else None


def _rules(
    con: duckdb.DuckDBPyConnection, profile: Profile, mart: Mapping[str, str]
) -> dict[str, str | None]:
    """The rule set and version of the rows; unknown where the mart does not say."""
    if not {"rule_set", "rule_version"} <= mart.keys():
        return {"rule_set": None, "rule_version": None}
    ((rule_set, version),) = con.execute(_QUERIES["rules"].format(source=profile.source)).fetchall()
    return {"rule_set": rule_set, "rule_version": version}


def _record(
    con: duckdb.DuckDBPyConnection,
    report: ExportReport,
    folder: Path,
    run_id: str,
    rules: Mapping[str, str | None],
) -> None:
    names = {"profile": report.profile, "run_id": run_id}
    con.execute("begin")
    con.execute(_QUERIES["forget_state"], {"profile": report.profile})
    con.execute(_QUERIES["keep_state"], names)
    con.execute(
        _QUERIES["record_export"],
        {
            **names,
            **rules,
            "as_of": report.as_of_date,
            "folder": folder.as_posix(),
            "rows": report.rows,
            "bytes": report.bytes,
            "sha256": report.sha256,
        },
    )
    con.execute("commit")
