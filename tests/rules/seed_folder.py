"""The shipped seeds in a folder of their own, to spoil one cell at a time."""

from __future__ import annotations

import csv
from pathlib import Path

from radar.rules.checks import check
from radar.rules.gathering import gather
from radar.rules.seed_tables import Problem
from tests.frozen import SEEDS

Rows = list[dict[str, str]]


class SeedFolder:
    """Files that replace those of seeds/; a file that is not written is the shipped one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def rows(self, name: str) -> Rows:
        path = self.folder / f"{name}.csv"
        with (path if path.exists() else SEEDS / path.name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def write(self, name: str, rows: Rows) -> None:
        with (self.folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def change(self, name: str, row: int, **cells: str) -> None:
        """Set cells of a data row, counted from 1."""
        rows = self.rows(name)
        rows[row - 1].update(cells)
        self.write(name, rows)

    def add(self, name: str, copied: int, **cells: str) -> None:
        """Append a copy of a data row with other cells."""
        rows = self.rows(name)
        self.write(name, [*rows, {**rows[copied - 1], **cells}])

    def gathered(self, target: Path) -> Path:
        return gather(self.folder, target)

    def problems(self, target: Path) -> list[Problem]:
        return check(self.gathered(target))
