"""Reads an Excel workbook as the CSV that its only sheet would be, with ISO dates and plain numbers."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from radar.core.errors import InputError
from radar.core.warehouse import readable_os_errors
from radar.landing import contents, names
from radar.landing.files import ExtractFile

FORMAT = "xlsx"
_PROTECTED = b"\xd0\xcf\x11\xe0"  # how a workbook with a password begins, and those of before 2007
WHOLE_BELOW = 1e15  # from there on the number of a sheet does not have every digit
_NO_VALUE = "e"  # the type of a cell whose formula failed: #N/A, #REF!


def as_csv(file: ExtractFile, path: Path, folder: Path) -> tuple[ExtractFile, Path]:
    """A CSV file of the one sheet that has rows. Raises InputError where none or several have some."""
    from openpyxl import load_workbook  # noqa: PLC0415 a third of the time in which a reader starts
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    _check(file, path)
    target = folder / "sheet.csv"
    try:
        book = load_workbook(path, read_only=True, data_only=True)
        filled = [
            sheet for sheet in book.worksheets if any(any(row) for row in sheet.iter_rows(values_only=True))
        ]
        if len(filled) != 1:
            raise _not_one_sheet(file, [sheet.title for sheet in filled])
        with readable_os_errors(target), open(target, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            for row in filled[0].iter_rows():
                cells = [_text(cell) for cell in row]
                if any(cells):
                    writer.writerow(cells)
    except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, EOFError) as error:
        raise InputError(
            "is no workbook that can be read", contents.DAMAGED, file=file.source_file
        ) from error
    return replace(file, format="csv"), target


def _check(file: ExtractFile, path: Path) -> None:
    """Raise InputError for a workbook with a password, and for one that unpacks to more than real ones do."""
    if contents.begins_with(path, _PROTECTED):
        raise InputError(
            "is a workbook with a password, or of Excel before 2007",
            "save it without a password as .xlsx, or as CSV in UTF-8",
            file=file.source_file,
        )
    size = path.stat().st_size
    most = min(max(contents.UNPACKED_FREE, contents.MAX_RATIO * size), contents.MAX_UNPACKED)
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise InputError(
            "is no workbook that can be read", contents.DAMAGED, file=file.source_file
        ) from error
    if unpacked > most:
        raise contents.unpacks_to_too_much(file, most, size)


def _not_one_sheet(file: ExtractFile, titles: list[str]) -> InputError:
    if not titles:
        return InputError("is a workbook without a row", "send the file again", file=file.source_file)
    shown = ", ".join(names.shown(title, words=True) for title in titles[:5])
    return InputError(
        f"has rows in {len(titles)} sheets: {shown}",
        "save each sheet that is a feed as a file of its own",
        file=file.source_file,
    )


def _text(cell: Any) -> str:
    """The value as CSV has it; a date without a time of day as a date, a formula that failed as empty."""
    value = cell.value
    if value is None or cell.data_type == _NO_VALUE:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        is_day = value.time() == time() and "h" not in (cell.number_format or "").lower()
        return value.date().isoformat() if is_day else value.isoformat(" ")
    if isinstance(value, float) and value.is_integer() and abs(value) < WHOLE_BELOW:
        return str(int(value))
    return str(value)
