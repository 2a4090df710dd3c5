"""`python -m radar.onboarding.file_keys FORMAT COMPRESSION FILE`: the names of a file's columns, as JSON.

A process of its own, as whatever opens a file that somebody sent; it looks at the first records alone. Of
nested records the names are paths with dots, and those on the way to them.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
import pyarrow.parquet
import zstandard

from radar.landing.contents import UTF16_BOMS
from radar.landing.dialects import DELIMITERS
from radar.landing.files import is_member

LOOKED_AT = 4 << 20
"""Bytes of a text, unpacked."""
RECORDS = 200
DEPTH = 6
MOST_SCALARS = 8  # next to the records of a page: its envelope


def main() -> None:
    """Print the names."""
    file_format, compression, name = sys.argv[1:]
    print(json.dumps(keys(Path(name), file_format, compression)))


def keys(path: Path, file_format: str, compression: str) -> list[str]:
    """The names of the columns, in their order. Raises ValueError and OSError for what cannot be read."""
    if file_format == "parquet":
        return [part for name in pyarrow.parquet.read_schema(path).names for part in _paths({name: None})]
    if file_format == "xlsx":
        return _first_row(path)
    with path.open("rb") as stream:
        content = _unpacked(stream, compression)
    text = content.decode("utf-16" if content.startswith(UTF16_BOMS) else "utf-8-sig", "replace")
    if file_format in ("csv", "tsv"):
        return [name.strip() for name in _header(text)]
    found: dict[str, None] = {}
    for number, record in enumerate(_records(text)):
        if number == RECORDS:
            break
        found |= dict.fromkeys(_paths(record))
    return [*found]


def _header(text: str) -> list[str]:
    """The first line with as many cells as most lines, by the delimiter that most lines agree on."""
    lines, found, most = text.splitlines()[:RECORDS], [""], 0
    for delimiter in DELIMITERS:
        rows = [next(csv.reader([line], delimiter=delimiter), []) for line in lines]
        widths = Counter(len(row) for row in rows if len(row) > 1)
        width, times = widths.most_common(1)[0] if widths else (1, 0)
        if times > most:
            most, found = times, next(row for row in rows if len(row) == width)
    return found if most else next(csv.reader(lines), [])


def _first_row(path: Path) -> list[str]:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True) if any(row))
    return [str(cell).strip() for cell in next(rows, ()) if cell is not None]


def _unpacked(stream: BinaryIO, compression: str) -> bytes:
    if compression == "gz":
        with gzip.open(stream) as unpacked:
            return unpacked.read(LOOKED_AT)
    if compression == "zst":
        return zstandard.ZstdDecompressor().stream_reader(stream).read(LOOKED_AT)
    if compression == "zip":
        with zipfile.ZipFile(stream) as archive:
            first = next(member for member in archive.infolist() if is_member(member))
            with archive.open(first) as member:
                is_packed = first.filename.endswith(".gz")
                return gzip.open(member).read(LOOKED_AT) if is_packed else member.read(LOOKED_AT)
    return stream.read(LOOKED_AT)


def _records(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a text of JSON: a list, pages, or one value after another; the last may be cut."""
    decoder, position = json.JSONDecoder(), 0
    while match := re.compile(r"\s*([\[{])").match(text, position):
        start = match.start(1)
        try:
            value, position = decoder.raw_decode(text, start)
        except ValueError:
            inner = re.compile(r"\[\s*(?=\{)").search(text, start)  # of a list that is cut: what is in it
            if not inner:
                return
            yield from _listed(decoder, text, inner.end())
            return
        yield from _opened(value)


def _listed(decoder: json.JSONDecoder, text: str, position: int) -> Iterator[dict[str, Any]]:
    while True:
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError:
            return
        yield from _opened(value)
        match = re.compile(r"\s*,\s*").match(text, position)
        if not match:
            return
        position = match.end()


def _opened(value: Any) -> Iterator[dict[str, Any]]:
    """The records of a value: a list's, those of a page, or itself."""
    if isinstance(value, list):
        for one in value:
            yield from _opened(one)
    elif isinstance(value, dict):
        lists = [one for one in value.values() if isinstance(one, list) and one and isinstance(one[0], dict)]
        others = sum(not isinstance(one, list) for one in value.values())
        if lists and "id" not in value and "event" not in value and others <= MOST_SCALARS:
            yield from _opened(lists[0])
        else:
            yield value


def _paths(value: dict[str, Any], before: str = "", depth: int = DEPTH) -> Iterator[str]:
    for name, inner in value.items():
        yield f"{before}{name}"
        if isinstance(inner, dict) and depth:
            yield from _paths(inner, f"{before}{name}.", depth - 1)


if __name__ == "__main__":
    main()
