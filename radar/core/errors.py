"""The errors that a user can meet: what is wrong, where, and what to do. Nothing here reads or writes."""

from __future__ import annotations

from pathlib import Path


class RadarError(Exception):
    """An error with a remedy. `exit_status` is what `radar` ends with: 1 a failed run, 2 wrong usage."""

    exit_status = 1

    def __init__(
        self,
        problem: str,
        remedy: str,
        *,
        file: Path | str | None = None,
        line: int | None = None,
        row: int | None = None,
        column: str | None = None,
    ) -> None:
        """`line` counts from 1; so does `row`, of data rows without the header, as in `_row_number`."""
        self.problem, self.remedy = problem, remedy
        self.file, self.line, self.row, self.column = file, line, row, column
        super().__init__(str(self))

    def __str__(self) -> str:
        location = [
            str(self.file) if self.file is not None else "",
            f"line {self.line}" if self.line is not None else "",
            f"row {self.row}" if self.row is not None else "",
            f"column {self.column}" if self.column else "",
        ]
        where = ", ".join(part for part in location if part)
        return f"{where + ': ' if where else ''}{self.problem}\n  What to do: {self.remedy}"


class UsageError(RadarError):
    """The call or the configuration is wrong; nothing was started."""

    exit_status = 2


class InputError(RadarError):
    """The extracts or the reference data cannot be used as they are."""


class MissingColumnsError(InputError):
    """A file lacks columns without which it has no row; `column` names them, with commas between."""


class WarehouseError(RadarError):
    """The warehouse file cannot be opened, locked or written."""


class CheckError(RadarError):
    """A check that guards the published tables failed, or could not run."""


class AuditError(RadarError):
    """The audit chain is broken, or cannot be verified: a key or a head is missing or another's."""
