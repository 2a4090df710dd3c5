"""Sets of files for CRMs: the rows that are not what a destination is known to hold.

One folder per profile, as-of date and run, complete or not there at all:

    <out>/<profile>/<as-of date>_<run id>/
      <profile>_<as-of date>_001.csv ...         for the machine; header only where nothing changed
      undo/<profile>_undo_<as-of date>_001.csv   the same keys as they were before: it takes the set back
      rejected.csv                               for a person: cells that a machine must not be given
      manifest.json                              written last: what the folder holds

The set is made in a hidden folder next to its own and renamed; only then do `audit.sync_*` and
`audit.exports` move. So a run that dies leaves no half set, and what it did not record goes out again. What
a destination holds is what it was last acknowledged to hold (`sync`), or for a profile that says
`on_write`, what was last written.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import CheckError, InputError, RadarError, UsageError
from radar.core.queries import named_queries
from radar.core.warehouse import connect, readable_os_errors, writer_lock
from radar.exports import cells, outbound
from radar.exports.files import (
    MANIFEST,
    Parts,
    move_into_place,
    new_folder,
    write_for_a_person,
    write_whole,
)
from radar.exports.profiles import (
    IGNORE,
    Profile,
    check_against_mart,
    check_for_loops,
    load_profiles,
    with_every_column,
)

REJECTED, UNDO = "rejected.csv", "undo"
WRITTEN, ACKNOWLEDGED = "written", "acknowledged"
BLOCKED, FAILED, SKIPPED = "held", "failed", "skipped"
_BATCH = 1_000
_PART_ROWS = 25_000
QUERIES = named_queries(Path(__file__).with_name("queries.sql"))
_EMPTIED = "correct the value at its source; all other cells of the account are in the file"
_REMEDY = "correct the value at its source; the account is exported with the next run"


class BlockedError(CheckError):
    """A guard fired: this destination is given nothing by this run; the others are."""


class OlderDayError(CheckError):
    """The destination has been given a later day: an older one would overwrite what is newer."""


_STATUSES: dict[type[RadarError], str] = {BlockedError: BLOCKED, OlderDayError: SKIPPED}


@dataclass(frozen=True)
class Guards:
    """What blocks a destination: more accounts than this change their bucket at once.

    `flood_pct` is a share of the accounts that the destination knows; fewer than `flood_least` never hold it.
    """

    flood_pct: int = 20
    flood_least: int = 10
    allow_flood: bool = False


@dataclass(frozen=True)
class Changes:
    """The content of a set: rows by kind; `again` of them went out before and were not acknowledged."""

    added: int
    changed: int
    removed: int
    again: int
    rejected: int


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
    changes: Changes
    bytes: int
    sha256: str
    files: tuple[str, ...]
    first_rows: tuple[tuple[str, dict[str, str]], ...]
    is_new: bool
    seconds: float
    not_in_it: str | None = None
    """How many rows are not in the files, or not whole, and why."""


@dataclass(frozen=True)
class Preview:
    """What an export would write: counts, first rows by header; `blocked` says which guard would fire."""

    profile: str
    changes: Changes
    first_rows: tuple[tuple[str, dict[str, str]], ...]
    blocked: str | None


def export(
    warehouse: Path,
    out: Path,
    *,
    run_id: str,
    as_of: date,
    profiles: list[str] | None = None,
    guards: Guards | None = None,
) -> list[ExportReport]:
    """Write a set of files for each profile (all of them by default), and record it in the warehouse.

    A destination that fails does so alone: the others are written, then its RadarError is raised.
    BlockedError: a guard fired (`Guards`, no rows, keys that are empty or not unique, a loop). OlderDayError:
    see there. Others: an unknown profile or run id, a profile that its mart cannot serve, a mart of another
    day, a full disk.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", run_id):
        raise UsageError(f"the run id {run_id!r} cannot be part of a folder's name", "use letters and digits")
    reports, errors = [], []
    with writer_lock(warehouse), connect(warehouse) as con:
        con.execute("set threads = 1")  # a second one costs memory and CPU here, and saves no time
        create_tables(con)
        for profile in load_profiles(profiles):
            try:
                reports.append(
                    _export_profile(con, profile, out, run_id=run_id, as_of=as_of, guards=guards or Guards())
                )
            except RadarError as error:
                status = _STATUSES.get(type(error), FAILED)
                _record_no_set(con, profile, run_id, as_of, status=status, message=str(error))
                errors.append(error)
    if errors:
        raise errors[0]
    return reports


def preview(
    warehouse: Path,
    *,
    as_of: date | None = None,
    profiles: list[str] | None = None,
    guards: Guards | None = None,
    most: int = 5,
) -> list[Preview]:
    """What `export` would write of the marts as they are; nothing is written, neither files nor tables.

    Cells of masked columns are shown as `(masked)`.
    """
    found = []
    with writer_lock(warehouse), connect(warehouse) as con:
        con.execute("begin")
        try:
            create_tables(con)
            for profile in load_profiles(profiles):
                found.append(_preview_profile(con, profile, as_of, guards or Guards(), most))
        finally:
            con.execute("rollback")
    return found


def _preview_profile(
    con: duckdb.DuckDBPyConnection, profile: Profile, as_of: date | None, guards: Guards, most: int
) -> Preview:
    mart = _columns_of(con, profile)
    profile = with_every_column(profile, mart)
    check_against_mart(profile, mart)
    day = as_of or _day_of(con, profile, mart)
    _find_changes(con, profile, mart, run_id="", as_of=day)
    try:
        _check_outbound(con, profile, "", day, guards)
        _check_guards(con, profile, "", guards)
        blocked = None
    except BlockedError as error:
        blocked = error.problem
    return Preview(profile.name, _counts(con), _first_rows(con, profile, most), blocked)


def _first_rows(
    con: duckdb.DuckDBPyConnection, profile: Profile, most: int = 5
) -> tuple[tuple[str, dict[str, str]], ...]:
    """The kind of change and the cells by header, as a person may see them."""
    rows = con.execute(QUERIES["first_rows"], {"most": most}).fetchall()
    return tuple(
        (
            change,
            {
                column.header: "(masked)" if column.masked and cell else cell
                for column, cell in zip(profile.columns, json.loads(found), strict=True)
            },
        )
        for change, found in rows
    )


def create_tables(con: duckdb.DuckDBPyConnection) -> None:
    """The tables that remember what went out, with what an earlier release left."""
    for name in ("audit_schema", "exports", "sync_runs", "sync_changes", "sync_state", "sync_decisions"):
        con.execute(QUERIES[name])
    if con.execute(QUERIES["has_earlier_state"]).fetchone() != (0,):
        con.execute(QUERIES["take_earlier_state"])


def _export_profile(
    con: duckdb.DuckDBPyConnection, profile: Profile, out: Path, *, run_id: str, as_of: date, guards: Guards
) -> ExportReport:
    started = time.monotonic()
    _check_outbound(con, profile, run_id, as_of, guards)
    check_for_loops_or_block(profile)
    mart = _columns_of(con, profile)
    profile = with_every_column(profile, mart)
    check_against_mart(profile, mart)
    _check_day(con, profile, mart, run_id, as_of)
    _find_changes(con, profile, mart, run_id=run_id, as_of=as_of)
    _check_guards(con, profile, run_id, guards)
    changes = _counts(con)
    relative = Path(profile.name) / f"{as_of.isoformat()}_{run_id}"
    with readable_os_errors(out), new_folder(out / relative) as folder:
        files, rejected = _write_files(con, profile, folder, as_of)
        manifest = {
            "run_id": run_id,
            "as_of_date": as_of.isoformat(),
            "profile": profile.name,
            "destination": profile.destination,
            "key": profile.headers[profile.key_number],
            "import_settings": profile.import_settings,
            "acknowledge": profile.acknowledge,
            "follows": _folder_before(con, profile, run_id),
            "changes": vars(changes),
            "files": files,
            "undo": _write_undo(con, profile, folder, run_id, as_of),
            "rejected": rejected,
        }
        content = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
        write_whole(folder / MANIFEST, content)
        is_new = move_into_place(folder, out / relative, content)
    report = ExportReport(
        profile=profile.name,
        folder=out / relative,
        as_of_date=as_of,
        rows=sum(file["rows"] for file in files),
        rejected_rows=rejected["accounts"],
        changes=changes,
        bytes=sum(file["bytes"] for file in files),
        sha256=hashlib.sha256(content).hexdigest(),
        files=tuple(file["name"] for file in files),
        first_rows=_first_rows(con, profile),
        is_new=is_new,
        not_in_it=_not_in_it(rejected),
        seconds=time.monotonic() - started,
    )
    _record(con, profile, report, folder=relative, run_id=run_id, rules=_rules(con, profile, mart))
    return report


# --- which rows -------------------------------------------------------------------------------------------


def _find_changes(
    con: duckdb.DuckDBPyConnection, profile: Profile, mart: Mapping[str, str], *, run_id: str, as_of: date
) -> None:
    """Fill the temporary tables snapshot, known and delta. Raises BlockedError where keys are wrong."""
    con.execute(snapshot_query(profile, mart))
    _check_keys(con, profile)
    names = {"profile": profile.name, "run_id": run_id}
    con.execute(QUERIES["known"], names)
    con.execute(QUERIES["delta"], {"create_only": profile.create_only})
    con.execute(QUERIES["drop_cells"])
    removed = cells.removed_cells(profile, as_of, "old_cells")
    con.execute(QUERIES["removed_rows"].format(removed_cells=removed), names)


def snapshot_query(profile: Profile, mart: Mapping[str, str]) -> str:
    """The query that fills the temporary table `snapshot`."""
    return QUERIES["snapshot"].format(
        source=profile.source,
        key=cells.key_text(profile, mart),
        label=cells.label_text(profile, mart),
        problems=cells.problems(profile, mart),
        emptied=cells.emptied(profile, mart),
        cells=cells.cells(profile, mart),
        repeated=cells.repeated(profile),
        compared=cells.compared(profile),
    )


def _counts(con: duckdb.DuckDBPyConnection) -> Changes:
    ((added, changed, removed, again, rejected),) = con.execute(QUERIES["counts"]).fetchall()
    return Changes(added, changed, removed, again, rejected)


def _columns_of(con: duckdb.DuckDBPyConnection, profile: Profile) -> dict[str, str]:
    try:
        found = con.execute(QUERIES["columns"].format(source=profile.source)).fetchall()
    except duckdb.CatalogException as error:
        raise InputError(
            f"{profile.source} is not in the warehouse", "build the models, then export"
        ) from error
    return dict(found)


def _day_of(con: duckdb.DuckDBPyConnection, profile: Profile, mart: Mapping[str, str]) -> date:
    """The newest day that the mart speaks for."""
    if "as_of_date" in mart:
        found = con.execute(f"select max(as_of_date) from {profile.source}").fetchall()
        if found[0][0] is not None:
            return date.fromisoformat(str(found[0][0]))
    return date.min


# --- what blocks a destination ----------------------------------------------------------------------------


def _check_outbound(
    con: duckdb.DuckDBPyConnection, profile: Profile, run_id: str, as_of: date, guards: Guards
) -> None:
    """Block every destination where nothing may go out; in a flood, those that got something before."""
    reason = outbound.blocked(con, as_of)
    if reason is None:
        return
    if not isinstance(reason, outbound.OlderWarehouseError):
        names = {"profile": profile.name, "run_id": run_id}
        if guards.allow_flood or con.execute(QUERIES["newest_day"], names).fetchone() == (None,):
            return
    raise BlockedError(reason.problem, reason.remedy)


def check_for_loops_or_block(profile: Profile) -> None:
    """Block a destination that would get its own values back."""
    try:
        check_for_loops(profile)
    except InputError as error:
        raise BlockedError(error.problem, error.remedy, file=error.file, column=error.column) from error


def _check_day(
    con: duckdb.DuckDBPyConnection, profile: Profile, mart: Mapping[str, str], run_id: str, as_of: date
) -> None:
    """A snapshot of another day, sent under this one, would overwrite newer scores in the CRM."""
    names = {"profile": profile.name, "run_id": run_id}
    newest = con.execute(QUERIES["newest_day"], names).fetchall()[0][0]
    if newest is not None and newest > as_of:
        raise OlderDayError(
            f"{profile.name} was given {newest} before, so {as_of} was not exported",
            f"run again with --as-of {newest} or later",
        )
    if "as_of_date" not in mart:
        return
    query = QUERIES["other_day"].format(source=profile.source)
    others = con.execute(query, {"as_of": as_of}).fetchall()
    if others:
        raise CheckError(
            f"{profile.source} speaks for {others[0][0]}, and the export was asked for {as_of}",
            f"run again with --as-of {others[0][0]}, or build {as_of} first",
        )


def _check_keys(con: duckdb.DuckDBPyConnection, profile: Profile) -> None:
    wrong = con.execute(QUERIES["wrong_key"]).fetchall()
    if wrong:
        key, times = wrong[0]
        raise BlockedError(
            f"{profile.source} has {times} rows with the {profile.key} {key!r}; nothing was exported",
            "the key has to be there and unique: correct the model or its sources, then run again",
            column=profile.key,
        )


def _check_guards(con: duckdb.DuckDBPyConnection, profile: Profile, run_id: str, guards: Guards) -> None:
    """Raise BlockedError where all rows are gone, or too many accounts would change their bucket at once."""
    ((rows, known),) = con.execute(
        "select (select count(*) from snapshot), (select count(*) from known where base_hash is not null)"
    ).fetchall()
    if not rows and known and not profile.create_only:
        raise BlockedError(
            f"{profile.source} has no rows at all, and {profile.name} knows {known:,}; nothing was exported",
            "look why nothing is scored; if it is right, remove the rows in the destination by hand",
        )
    number = profile.number_of("bucket")
    if number is None or profile.create_only or guards.allow_flood:
        return
    query = QUERIES["bucket_changes"].format(number=number)
    ((accounts, moved),) = con.execute(query, {"profile": profile.name, "run_id": run_id}).fetchall()
    if moved >= guards.flood_least and moved * 100 > accounts * guards.flood_pct:
        raise BlockedError(
            f"{moved:,} of the {accounts:,} accounts that {profile.name} knows change their bucket or leave "
            f"at once, more than {guards.flood_pct} %; nothing was exported",
            "look whether rules or sources changed; if it is right, run again with --allow-flood",
        )


# --- the files --------------------------------------------------------------------------------------------


def _write_files(
    con: duckdb.DuckDBPyConnection, profile: Profile, folder: Path, as_of: date
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The parts for the machine, and the refused rows; returns the manifest's entries."""
    parts = Parts(folder, f"{profile.name}_{as_of.isoformat()}", profile, profile.headers)
    refused: list[list[str]] = []
    accounts = 0
    left_out: Counter[str] = Counter()
    made_empty: Counter[str] = Counter()
    for batch in _batches(con, "to_write", tells_removed=profile.removed != IGNORE):
        parts.write(_parsed(found for *_, problems, _, found in batch if not problems))
        for row_key, label, problems, emptied, found in batch:
            if problems:
                accounts += 1
                left_out[_why(profile, problems)] += 1
                refused += _refusals(profile, row_key, label, problems, json.loads(found))
            elif emptied:
                texts = json.loads(emptied)
                codes = " ".join(f"{n}:emptied" for n, cell in enumerate(texts) if cell is not None)
                made_empty[_why(profile, codes)] += 1
                refused += _refusals(profile, row_key, label, codes, texts, remedy=_EMPTIED)
    headers = ["account", "name", "column", "header", "cell", "problem", "what_to_do"]
    rejected = write_for_a_person(folder / REJECTED, headers, refused)
    return parts.close(), {
        **rejected,
        "accounts": accounts,
        "left_out": dict(left_out),
        "emptied": dict(made_empty),
    }


def _write_undo(
    con: duckdb.DuckDBPyConnection, profile: Profile, folder: Path, run_id: str, as_of: date
) -> dict[str, Any]:
    """The files that take the set back, and how many rows they cannot; keys of what is only created."""
    (folder / UNDO).mkdir()
    headers = profile.headers
    if profile.create_only:
        headers = headers[profile.key_number : profile.key_number + 1]
    parts = Parts(folder / UNDO, f"{profile.name}_undo_{as_of.isoformat()}", profile, headers)
    lost = 0
    query = QUERIES["to_undo"].format(removed_cells=cells.removed_cells(profile, as_of, "known_cells"))
    names = {"profile": profile.name, "run_id": run_id, "tells_removed": profile.removed != IGNORE}
    for batch in _batches(con, query, **names):
        if profile.create_only:
            parts.write([[row_key] for row_key, _ in batch])
        else:
            known = [found for _, found in batch if found is not None]
            lost += len(batch) - len(known)
            parts.write(_parsed(known))
    files = [{**entry, "name": f"{UNDO}/{entry['name']}"} for entry in parts.close()]
    return {"means": "delete" if profile.create_only else "import", "not_known": lost, "files": files}


def _batches(con: duckdb.DuckDBPyConnection, query: str, **values: Any) -> Iterator[list[tuple[Any, ...]]]:
    con.execute(QUERIES.get(query, query), values)
    while batch := con.fetchmany(_BATCH):
        yield batch


def _parsed(rows: Iterable[str]) -> list[list[str]]:
    """The cells of rows, each of which is a JSON list."""
    cells_of_rows: list[list[str]] = json.loads(f"[{','.join(rows)}]")
    return cells_of_rows


def _why(profile: Profile, problems: str) -> str:
    """The columns and what is wrong with them, for a line that counts."""
    parts = (problem.split(":") for problem in problems.split(" "))
    return "; ".join(
        f"{profile.columns[int(number)].source or profile.key} {cells.PROBLEMS[code]}"
        for number, code in parts
    )


def _not_in_it(rejected: Mapping[str, Any]) -> str | None:
    """How many rows are not in the file, or not whole, and why; None where all are."""
    lines = [
        *(
            f"{count:,} {'row is' if count == 1 else 'rows are'} not in it: {why}"
            for why, count in rejected["left_out"].items()
        ),
        *(
            f"{count:,} {'row has' if count == 1 else 'rows have'} one cell too few: {why}"
            for why, count in rejected["emptied"].items()
        ),
    ]
    return f"{'. '.join(lines)}; see {REJECTED}" if lines else None


def _refusals(
    profile: Profile,
    key: str,
    label: str | None,
    problems: str,
    found: list[str],
    *,
    remedy: str = _REMEDY,
) -> list[list[str]]:
    """One line per cell that cannot go out."""
    lines = []
    for problem in problems.split(" "):
        number, code = problem.split(":")
        column = profile.columns[int(number)]
        cell, what = found[int(number)], cells.PROBLEMS[code]
        lines.append([key, label or "", column.source or "", column.header, cell, what, remedy])
    return lines


# --- what the warehouse remembers -------------------------------------------------------------------------


def _folder_before(con: duckdb.DuckDBPyConnection, profile: Profile, run_id: str) -> str | None:
    """The set that this one comes after: changes have to be imported in their order."""
    names = {"profile": profile.name, "run_id": run_id}
    found = con.execute(QUERIES["folder_before"], names).fetchall()
    return str(found[0][0]) if found else None


def _rules(
    con: duckdb.DuckDBPyConnection, profile: Profile, mart: Mapping[str, str]
) -> dict[str, str | None]:
    """The rule set and version of the rows; unknown where the mart does not say."""
    if not {"rule_set", "rule_version"} <= mart.keys():
        return {"rule_set": None, "rule_version": None}
    ((rule_set, version),) = con.execute(QUERIES["rules"].format(source=profile.source)).fetchall()
    return {"rule_set": rule_set, "rule_version": version}


def _record(
    con: duckdb.DuckDBPyConnection,
    profile: Profile,
    report: ExportReport,
    *,
    folder: Path,
    run_id: str,
    rules: Mapping[str, str | None],
) -> None:
    """Move the state, once per run and profile: what people decided about a set must not be forgotten."""
    names = {"profile": report.profile, "run_id": run_id}
    if con.execute(QUERIES["is_recorded"], names).fetchone() != (0,):
        return
    con.execute(QUERIES["drop_inputs"])
    is_acknowledged = profile.acknowledge == "on_write"
    policy = {"is_acknowledged": is_acknowledged, "tells_removed": profile.removed != IGNORE}
    con.execute("begin")
    con.execute(QUERIES["forget_run"], names)
    con.execute(QUERIES["supersede"], names)
    con.execute(QUERIES["record_changes"], {**names, **policy})
    move_state(con, profile.name, run_id, QUERIES["moved_on_write"], rows=report.rows, **policy)
    con.execute(
        QUERIES["record_run"],
        {
            **names,
            **vars(report.changes),
            "as_of": report.as_of_date,
            "status": ACKNOWLEDGED if is_acknowledged or not report.rows else WRITTEN,
            "folder": folder.as_posix(),
            "message": report.not_in_it,
        },
    )
    con.execute(
        QUERIES["record_export"],
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


def move_state(
    con: duckdb.DuckDBPyConnection, profile: str, run_id: str, making: str, *, rows: int, **literals: Any
) -> None:
    """Take the temporary view `moved` over into the state; for a transaction of the caller's.

    `making` makes the view, for one part of the `rows` after the other: a join over all of them would hold
    all cells at once, those of before and those of now.
    """
    names = {"profile": profile, "run_id": run_id}
    ((last,),) = con.execute(QUERIES["last_state"]).fetchall()
    parts = 1 + rows // _PART_ROWS
    for part in range(parts):
        con.execute(making.format(profile=cells.literal(profile), parts=parts, part=part, **literals))
        con.execute(QUERIES["keep_state"], names)
    con.execute(QUERIES["forget_state"], {**names, "last": last})


def _record_no_set(
    con: duckdb.DuckDBPyConnection, profile: Profile, run_id: str, as_of: date, *, status: str, message: str
) -> None:
    """Note that nothing went out, and why; what exists of the same run is left."""
    names = {"profile": profile.name, "run_id": run_id}
    if con.execute(QUERIES["is_recorded"], names).fetchone() != (0,):
        return
    none = dict.fromkeys(("added", "changed", "removed", "again", "rejected"), 0)
    con.execute("begin")
    con.execute(QUERIES["forget_run"], names)
    con.execute(
        QUERIES["record_run"],
        {**names, **none, "as_of": as_of, "status": status, "folder": None, "message": message},
    )
    con.execute("commit")
