"""Counts the records of a text file a second time, without DuckDB, and finds what DuckDB would let pass.

What lands is read by DuckDB; a count of one's own shows where rows were lost on the way. Reads bytes, no SQL.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radar.core.errors import InputError
from radar.landing import names
from radar.landing.feeds import Feed
from radar.landing.files import ExtractFile

MAX_DEPTH = 100  # of brackets in one another; the functions that take JSON apart call themselves for each
CHUNK = 1 << 20
UNFINISHED_LINE = "unfinished_line"
WRONG_FIELD_COUNT = "wrong_field_count"
MALFORMED_ROW = "malformed_row"
TOO_DEEP = f"brackets nested more than {MAX_DEPTH} deep"
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"  # byte order mark and spaces without width

_OPEN_END = (
    "the file ends inside this row, without a line end: it may be cut, so the row waits until the file "
    "arrives with its end"
)
_EMPTY_FIELD = "one field more than the header, and the last is empty: a comma in a value that is not quoted?"


@dataclass
class Records:
    """What the second count found. `rows` maps data rows, from 1, to the rule and message they break.

    `rest` are data rows with an empty field too many, which is one rule for all of them.
    """

    count: int = 0
    rows: dict[int, tuple[str, str]] = field(default_factory=dict)
    rest: array[int] = field(default_factory=lambda: array("q"))
    too_deep: list[int] = field(default_factory=list)

    def problems(self) -> Iterator[tuple[int, str, str]]:
        """Row, rule and message of each row that must not land."""
        for row in self.rest:
            if row not in self.rows:
                yield row, WRONG_FIELD_COUNT, _EMPTY_FIELD
        for row, (rule, message) in self.rows.items():
            yield row, rule, message


def is_blank(path: Path) -> bool:
    """Whether nothing is in it but blanks, line ends and byte order marks."""
    with open(path, encoding="utf-8", errors="replace") as stream:
        while text := stream.read(CHUNK):
            if not all(character.isspace() or character in _INVISIBLE for character in text):
                return False
    return True


def ends_a_line(path: Path) -> bool:
    """Whether the last byte is a line end."""
    with open(path, "rb") as stream:
        stream.seek(-1, 2)
        return stream.read(1) in b"\r\n"


# CSV and TSV


def count_csv(
    file: ExtractFile, path: Path, feed: Feed, header: list[str], *, needs_line_end: bool
) -> Records:
    """Count the rows of a delimited file, and look at what DuckDB takes as it comes.

    Raises InputError for a header that may be cut and for a quote that swallowed rows.
    """
    is_open = needs_line_end and not ends_a_line(path)
    delimiter = file.separator
    quotes = _OpenQuotes(file, feed, header, delimiter)
    width, records, line, counters = len(header), Records(), 1, 0
    csv.field_size_limit(sys.maxsize)
    with open(path, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(text, delimiter=delimiter)
        next(rows, None)
        line = rows.line_num
        for row in rows:
            if row:
                records.count += 1
                if len(row) == width + 1 and not row[-1]:
                    records.rest.append(records.count)
                    counters += row[0] == str(records.count)
                if rows.line_num - line > 1:
                    quotes.check(row, line + 1, rows.line_num)
            line = rows.line_num
    if is_open and not records.count:
        raise InputError(
            "ends inside its header, which has no line end: it may be cut",
            "send the file again with a line end after each line",
            file=file.source_file,
        )
    if len(records.rest) == records.count > 1:
        if counters == records.count:
            raise InputError(
                "every row has one field more than the header, and the first of them counts the rows",
                "name the first column too, or leave it out: the values would land under the wrong names",
                file=file.source_file,
            )
        records.rest = array("q")
    if is_open:
        records.rows[records.count] = (UNFINISHED_LINE, _OPEN_END)
    return records


class _OpenQuotes:
    """Finds a quoted value that holds whole rows of the file: a quote that was never closed swallowed them.

    A line inside a value counts as a row where it has as many fields as the header, its first cell is written
    like the row's own (letters, digits, signs), and the required cells look like what they must be. Texts of
    people with commas, and even tables pasted into them, do not.
    """

    def __init__(self, file: ExtractFile, feed: Feed, header: list[str], delimiter: str) -> None:
        self._file, self._header, self._delimiter = file, header, delimiter
        by_name = {column.name: column for column in feed.columns}
        self._required = {
            index: by_name[name].type in ("timestamp", "date")
            for index, name in enumerate(header)
            if name in by_name and by_name[name].required
        }

    def check(self, row: list[str], first_line: int, last_line: int) -> None:
        """Raise InputError where a value of the row, which covers these lines, holds rows."""
        for index, value in enumerate(row[: len(self._header)]):
            lines = re.split("\r\n|\n|\r", value)
            if len(lines) < 2:
                continue
            inner, last = [line for line in lines[1:-1] if line], lines[-1]
            swallowed = sum(self._is_row(line, row, len(self._header)) for line in inner)
            # here is the row in which the quote was closed, up to that quote
            swallowed += index > 0 and self._is_row(last, row, index + 1)
            if swallowed and swallowed * 2 > len(inner):
                raise InputError(
                    f"a quoted value spans the lines {first_line} to {last_line}, and {swallowed:,} of them "
                    "look like rows of their own: a quote that is not closed has swallowed them",
                    f"close the quote in line {first_line}, or double it where it belongs to the text",
                    file=self._file.source_file,
                    column=names.shown(self._header[index], words=True),
                )

    def _is_row(self, line: str, row: list[str], fields: int) -> bool:
        cells = line.split(self._delimiter)
        if len(cells) != fields or _form(cells[0]) != _form(row[0]):
            return False
        return all(
            (sum(map(str.isdigit, cells[index])) >= 4 if is_time else cells[index].strip())
            for index, is_time in self._required.items()
            if index < fields - (fields < len(self._header))
        )


def _form(cell: str) -> frozenset[str]:
    """Which kinds of characters a cell is made of: digits, letters, and each sign."""
    return frozenset("9" if c.isdigit() else "a" if c.isalpha() else c for c in cell.strip())


# JSON


def count_lines(path: Path) -> Records:
    """Count the records of newline-delimited JSON; a last line that is cut is named as such."""
    records, line = Records(), b""
    with open(path, "rb") as stream:
        for line in stream:
            if line.isspace():
                continue
            records.count += 1
            if line.count(b"[") + line.count(b"{") > MAX_DEPTH and is_too_deep(line):
                records.too_deep.append(records.count)
                records.rows[records.count] = (MALFORMED_ROW, TOO_DEEP)
    if line and line[-1:] not in b"\r\n" and not line.isspace() and not _is_object(line):
        records.rows[records.count] = (UNFINISHED_LINE, _OPEN_END)
    return records


def count_values(file: ExtractFile, path: Path, *, is_array: bool) -> Records:
    """Count the records of an array, or of values one after the other that may contain line ends.

    Raises InputError for brackets nested too deep and for an array that does not end.
    """
    structure = _Structure(is_array=is_array)
    with open(path, "rb") as stream:
        while chunk := stream.read(CHUNK):
            structure.take(chunk)
            if structure.is_too_deep:
                raise InputError(f"has {TOO_DEEP}", "send records that are less deep", file=file.source_file)
    if is_array and not structure.is_ended:
        raise InputError(
            "is a JSON array that does not end",
            "send the file again: it is cut short or damaged",
            file=file.source_file,
        )
    return Records(structure.count)


def is_too_deep(text: bytes) -> bool:
    """Whether brackets are nested more than MAX_DEPTH deep in it."""
    structure = _Structure(is_array=False)
    structure.take(text)
    return structure.is_too_deep


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_PAIR = re.compile(rb"\[[,;]*\]|\{[,;]*\}")
_OPENING = re.compile(rb"[\[{]")
_NO_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))


class _Structure:
    """Brackets and commas of a JSON text, taken piece by piece: counts the records, measures the depth.

    Strings are taken out, then every pair of brackets with nothing open inside becomes a semicolon, from the
    innermost outwards. What remains is the commas and semicolons of the outermost level.
    """

    def __init__(self, *, is_array: bool) -> None:
        self._is_array, self._is_started = is_array, not is_array
        self._pending = self._rest = b""
        self._commas = self._values = 0
        self._has_content = False
        self.is_too_deep = self.is_ended = False

    def take(self, chunk: bytes) -> None:
        """Take the next bytes."""
        text = _STRING.sub(b"0", self._pending + chunk)
        quote = text.find(b'"')  # of a string that the next bytes close
        self._pending, text = (b"", text) if quote < 0 else (text[quote:], text[:quote])
        if not self._is_started:
            begin = text.find(b"[")
            if begin < 0:
                return
            self._is_started, text = True, text[begin + 1 :]
        self._has_content = self._has_content or bool(text.strip(b" \t\r\n]")) or bool(self._pending)
        self._rest, is_collapsed = _collapse(self._rest + text.translate(None, _NO_STRUCTURE))
        self.is_too_deep = self.is_too_deep or not is_collapsed
        opening = _OPENING.search(self._rest)
        done = self._rest[: opening.start() if opening else len(self._rest)]
        self._rest = self._rest[len(done) :]
        self._commas += done.count(b",")
        self._values += done.count(b";")
        if done:
            self.is_ended = done.endswith(b"]")
        if opening:
            self.is_ended = False
            self.is_too_deep = self.is_too_deep or len(_OPENING.findall(self._rest)) > MAX_DEPTH

    @property
    def count(self) -> int:
        """The records so far."""
        if self._is_array:
            return self._commas + 1 if self._has_content else 0
        return self._values


def _collapse(text: bytes) -> tuple[bytes, bool]:
    """The text with every closed pair as a semicolon, and whether MAX_DEPTH rounds were enough."""
    for _ in range(MAX_DEPTH + 1):
        text, pairs = _PAIR.subn(b";", text)
        if not pairs:
            return text, True
    return text, False


def not_all_read(file: ExtractFile, counted: int, read: int) -> InputError:
    """The error for a file of which not every record was read."""
    return InputError(
        f"{counted:,} records are in the file and {read:,} could be read: its quotes or brackets are broken",
        "send the file again, with quotes in a text doubled",
        file=file.source_file,
    )
