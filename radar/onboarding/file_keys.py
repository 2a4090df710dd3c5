"""`python -m radar.onboarding.file_keys FORMAT COMPRESSION FILE`: the names of a file's columns, as JSON.

A process of its own, as whatever opens a file that somebody sent; it looks at the first records alone. Of
nested records the names are paths with dots, and those on the way to them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet
import zstandard

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
    with path.open("rb") as stream:
        text = _unpacked(stream, compression).decode("utf-8-sig", "replace")
    if file_format in ("csv", "tsv"):
        header = next(csv.reader(io.StringIO(text), delimiter="\t" if file_format == "tsv" else ","), [])
        return [name.strip() for name in header]
    found: dict[str, None] = {}
    for number, record in enumerate(_records(text)):
        if number == RECORDS:
            break
        found |= dict.fromkeys(_paths(record))
    return [*found]


def _unpacked(stream: BinaryIO, compression: str) -> bytes:
    if compression == "gz":
        with gzip.open(stream) as unpacked:
            return unpacked.read(LOOKED_AT)
    if compression == "zst":
        return zstandard.ZstdDecompressor().stream_reader(stream).read(LOOKED_AT)
    if compression == "zip":
        with zipfile.ZipFile(stream) as archive, archive.open(archive.infolist()[0]) as member:
            is_packed = archive.infolist()[0].filename.endswith(".gz")
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
