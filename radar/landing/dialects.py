"""How a text file is written: its encoding, what separates its cells, and which of its lines are no rows.

What comes out is the file as the readers know it: UTF-8, from its header to its last row. A header is known
by its names: it is the line that names most of what the file may have. Nothing is left out that may be a row:
lines before the header are those of a report's title, with two cells at most; lines after the last row are
those of a report's end, behind an empty line, with one cell at most, and one of them says what it is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from radar.landing import contents, escapes
from radar.landing.files import ExtractFile

DELIMITERS = (",", ";", "\t", "|")
LINES_BEFORE = 30
CELLS_OF_A_TITLE = 2
END_BYTES = 16 << 10
_HEADER_BYTES = 1 << 18
_END_OF_REPORT = re.compile(
    r"copyright|all rights reserved|confidential|generated (?:by|on|at)\b|end of (?:report|file)\b"
    r"|\b[0-9][0-9.,]* (?:rows|records)\b|\b(?:rows|records): *[0-9]",
    re.IGNORECASE,
)

Known = Callable[[Sequence[str]], int]
"""How many names of a line are those of columns that the file may have."""


@dataclass(frozen=True)
class Plain:
    """A file to read, where its text is, and what was left out of it, as a sentence; '' for nothing."""

    file: ExtractFile
    path: Path
    left_out: str = ""


def plain(file: ExtractFile, path: Path, folder: Path, known: Known) -> Plain:
    """The text of the file as the readers know it; copies go into `folder`."""
    if not file.is_text:
        return Plain(file, path)
    if contents.is_utf16(path):
        path = contents.as_utf8(path, folder)
    if file.format not in ("csv", "tsv"):
        return Plain(file, path)
    delimiter, before, begin = _header(file, path, known)
    file = replace(file, delimiter=delimiter) if delimiter != file.separator else file
    path = escapes.doubled(path, folder, delimiter, begin)
    end, after = _end(path, delimiter)
    size = path.stat().st_size
    if begin or end < size:
        path = contents.part(path, folder, begin, end)
    parts = [
        f"{lines} {'line' if lines == 1 else 'lines'} {where}"
        for lines, where in ((before, "before its header"), (after, "after its last row"))
        if lines
    ]
    return Plain(file, path, f"{' and '.join(parts)} are no rows and were left out" if parts else "")


def _header(file: ExtractFile, path: Path, known: Known) -> tuple[str, int, int]:
    """What separates cells, how many lines come before the header, and the byte at which it begins."""
    with open(path, "rb") as stream:
        start = stream.read(_HEADER_BYTES)
    lines = start.splitlines(keepends=True)[:LINES_BEFORE]
    usual = file.separator
    delimiters = (usual, *(delimiter for delimiter in DELIMITERS if delimiter != usual))
    best, found = known(_cells(lines[0], usual)) if lines else 0, (usual, 0)
    for number, line in enumerate(lines):
        for delimiter in delimiters:
            names = known(_cells(line, delimiter))
            if names > max(best, 1) and _are_titles(lines[:number], delimiter):
                best, found = names, (delimiter, number)
    delimiter, before = found
    return delimiter, before, sum(map(len, lines[:before]))


def _cells(line: bytes, delimiter: str) -> list[str]:
    text = line.decode("utf-8-sig", "replace").rstrip("\r\n")
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _are_titles(lines: Sequence[bytes], delimiter: str) -> bool:
    return all(sum(map(bool, _cells(line, delimiter))) <= CELLS_OF_A_TITLE for line in lines)


def _end(path: Path, delimiter: str) -> tuple[int, int]:
    """The byte after the last row, and how many lines of a report's end follow it."""
    size = path.stat().st_size
    with open(path, "rb") as stream:
        stream.seek(max(size - END_BYTES, 0))
        lines = stream.read().splitlines(keepends=True)
    block: list[bytes] = []
    while lines and sum(map(bool, _cells(lines[-1], delimiter))) <= 1:
        block.insert(0, lines.pop())
    # it begins behind a row, with an empty line; where it fills all that was read nothing is known of rows
    empty = next((at for at, line in enumerate(block) if not any(_cells(line, delimiter))), len(block))
    block = block[empty:]
    texts = [line for line in block if any(_cells(line, delimiter))]
    end = size - sum(map(len, block))
    is_end = lines and any(_END_OF_REPORT.search(line.decode("utf-8", "replace")) for line in texts)
    if not is_end or _is_inside_quotes(path, end):
        return size, 0
    return end, len(texts)


def _is_inside_quotes(path: Path, end: int) -> bool:
    """Whether a value that began before the byte at `end` has not been closed there."""
    quotes = 0
    with open(path, "rb") as stream:
        while end > 0 and (chunk := stream.read(min(contents.CHUNK, end))):
            quotes += chunk.count(b'"')
            end -= len(chunk)
    return quotes % 2 == 1
