"""Whether new files name their columns as the contract does, and still have those of the files before.

Both checks only warn: the rows are good, and nobody knows what a missing column would have held. Every
finding is recorded in `audit.column_findings`, once, for the run that landed the files.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

import duckdb

from radar.landing.columns import GONE, MISNAMED, UNKNOWN, Comparison, FileColumns
from radar.landing.feeds import Feed
from radar.quality.batches import sql
from radar.quality.outcomes import Moment, Outcome

CHECKS = {
    "no_misnamed_column": "no new file lacks a known column while an unknown one resembles it",
    "no_column_gone": "every new file has the known columns that the files before it had",
}
_Key = tuple[str, str, str | None]  # column, finding, nearest name


def judge_columns(
    con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, moment: Moment
) -> list[Outcome]:
    """Record what is found in the feed's files since `first_batch`; no outcome where none has landed."""
    found, has_landed = _findings(con, feed, first_batch, moment)
    if not has_landed:
        return []
    if found:
        con.executemany(
            "INSERT INTO audit.column_findings (run_id, batch_id, feed, source_file, column_name, finding, "
            "nearest_name, files, found_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (moment.run_id, moment.batch_id, feed.name, files[-1], *key, len(files), moment.now)
                for key, files in sorted(found.items(), key=lambda item: item[0][:2])
            ],
        )
    misnamed = [
        f"{near} is missing, and {name} resembles it ({_listed(files)})"
        for (name, finding, near), files in found.items()
        if finding == MISNAMED
    ]
    gone = [
        f"{name}, which the files before had, is missing ({_listed(files)})"
        for (name, finding, _), files in found.items()
        if finding == GONE
    ]
    return [
        _outcome(
            feed,
            "no_misnamed_column",
            misnamed,
            "have the column written under its known name, and send the file again",
        ),
        _outcome(
            feed,
            "no_column_gone",
            gone,
            "see whether the column was taken out on purpose; where it was not, send the file again with it."
            " This is reported once",
        ),
    ]


def _findings(
    con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, moment: Moment
) -> tuple[dict[_Key, list[str]], bool]:
    """Finding -> the new files that show it; and whether there are new files."""
    values = {"feed": feed.name, "first_batch": first_batch, "batch_id": moment.batch_id}
    files: list[tuple[Any, ...]] = con.execute(sql("columns_of_files"), values).fetchall()
    comparisons = {is_json: Comparison(feed, is_json) for is_json in (False, True)}
    found: dict[_Key, list[str]] = defaultdict(list)
    for batch_id, source_file, rows, columns, extra, is_json, is_of_vendor in files:
        unknown = tuple(extra.split(", ") if extra else ())
        findings: list[_Key]
        if is_of_vendor:
            findings = [(name, UNKNOWN, None) for name in unknown]
        else:
            file = FileColumns(rows, is_json, json.loads(columns), unknown)
            findings = list(comparisons[is_json].findings(file))
        if batch_id >= first_batch:
            for finding in findings:
                found[finding].append(source_file)
    return found, any(batch_id >= first_batch for batch_id, *_ in files)


def _listed(files: list[str]) -> str:
    return files[0] if len(files) == 1 else f"{len(files):,} files, the first {files[0]}"


def _outcome(feed: Feed, check: str, problems: list[str], remedy: str) -> Outcome:
    return Outcome(
        feed=feed.name,
        check=check,
        expectation_type=check,
        severity="warning",
        success=not problems,
        error=None,
        observed=f"{len(problems)} columns",
        unexpected_count=None,
        action="tell",
        message=f"{'; '.join(problems)}. What to do: {remedy}" if problems else "",
    )
