"""The rules of the installation for its files, from `seeds/settings.csv`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileRules:
    """`needs_line_end`: the last row of a delimited file does not land where no line end follows it.

    `least_rows_pct`: a file with a smaller share of the rows of the file before it, in percent, is reported.
    """

    needs_line_end: bool = True
    least_rows_pct: float = 20.0

    @classmethod
    def of(cls, seeds: Path) -> FileRules:
        """As the settings say; one that has no row is as it ships."""
        with (seeds / "settings.csv").open(encoding="utf-8-sig", newline="") as file:
            found = {row["setting"]: row["value"] for row in csv.DictReader(file)}
        accepts, least = found.get("accept_unended_last_row"), found.get("file_rows_least_pct")
        return cls(float(accepts or 0) == 0, float(least) if least else cls.least_rows_pct)
