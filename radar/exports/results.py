"""Result files of CRMs: which of the rows that we sent were taken, and which were refused and why.

Belongs here: the forms of these files. What follows from them is `radar.exports.sync`.

HubSpot: the error file of an import (CSV: our columns and the error's) or the answer of its API for errors
(JSON with `rowData`); what it does not list was imported. Salesforce: the success and the failure file of a
Bulk API job (`sf__Id`, `sf__Created`, `sf__Error` next to our columns) or of Data Loader (`STATUS`,
`ERROR`); what neither lists was not processed.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radar.core.errors import InputError
from radar.exports.profiles import Profile, vendors

_ERRORS = (
    "sf__error",
    "error",
    "errors",
    "error message",
    "error type",
    "error_message",
    "message",
    "reason",
)
_SUCCESSES = ("sf__created", "status")


@dataclass(frozen=True)
class Results:
    """Keys that were taken; keys refused, with the destination's words; whether the rest was taken."""

    taken: frozenset[str]
    refused: dict[str, str]
    rest_was_taken: bool


def read_results(profile: Profile, files: list[Path]) -> Results:
    """Read the result files of one set. Raises InputError for a file that is not one of this profile's."""
    taken: set[str] = set()
    refused: dict[str, str] = {}
    every_row = vendors()[profile.vendor].results == "every_row"
    for file in files:
        rows = _of_json(profile, file) if file.suffix == ".json" else _of_csv(profile, file, every_row)
        for key, error in rows:
            if error is None:
                taken.add(key)
            else:
                refused[key] = error
    return Results(frozenset(taken - refused.keys()), refused, not every_row)


def _of_csv(profile: Profile, file: Path, every_row: bool) -> list[tuple[str, str | None]]:
    """Key and error of each row; an error of None means that the row was taken."""
    key = profile.headers[profile.key_number]
    try:
        text = file.read_text(encoding="utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the file cannot be read: {error}", "save it as CSV in UTF-8", file=file) from error
    header = csv.DictReader(io.StringIO(text, newline="")).fieldnames or []
    ours = set(profile.headers)
    names = {name.strip().lower(): name for name in header if name not in ours}
    error_column = next((names[name] for name in _ERRORS if name in names), None)
    if key not in header:
        raise InputError(
            f"the file has no column {key}",
            f"give the result file of {profile.name}, as it was downloaded",
            file=file,
        )
    if every_row and error_column is None and not any(name in names for name in _SUCCESSES):
        raise InputError(
            "the file shows neither what was taken nor what was refused",
            "give the success and the failure file of the job, as they were downloaded",
            file=file,
        )
    found: list[tuple[str, str | None]] = []
    for row in rows:
        words = (row.get(error_column) or "").strip() if error_column else ""
        is_taken = every_row and not words
        found.append((row[key] or "", None if is_taken else words or "refused, without a reason"))
    return found


def _of_json(profile: Profile, file: Path) -> list[tuple[str, str | None]]:
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        return [
            (
                str(error["sourceData"]["rowData"][profile.key_number]),
                str(error.get("errorMessage") or error.get("errorType") or "refused, without a reason"),
            )
            for error in content["results"]
        ]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(
            "the file is not the answer of the API for import errors, with rowData",
            "save the whole answer as it came",
            file=file,
        ) from error
