"""Valid files of every format and vendor, and what the fuzzing of the landing does to them. Lands nothing."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import test_stripe
import test_vendors
import zstandard
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from radar.landing.feeds import Feed, load_feeds

SCALE = 10_000
"""Places in a file or a table are drawn as so many parts of its length."""
ROWS = 4
TOKENS = [
    b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"\n\n", b"\\", b"\0", b"[", b"]", b"{", b"}", b":",
    b"\xef\xbb\xbf", b"\xff\xfe", b"\xe9", b"\xc3", b"\xed\xa0\x80", b"\xe2\x80\x8b", b"\\ud800", b"\\u0000",
    b"null", b"NaN", b"1e999", b"-", b"0" * 40, b"#", b'""', b'"",', b"[" * 200, b'{"a":' * 120, b"PK\3\4",
    b"\x1f\x8b\x08", b"PAR1", b"x" * 5000,
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        [
            "", " ", "null", "NULL", "N/A", "-", "0", "-1", "1e400", "9" * 40, "1,234.50", "1.234,50", "NaN",
            "inf", "true", "2026-02-30", "0000-00-00", "9999-12-31", "31.12.2025", "12/13/2025", "1735689600",
            "45658", "2025-01-01T00:00:00+99:00", "1677-09-21", "294247-01-10 04:00:54", "\u200b", "a\u0000b",
            "\ufeff", "\ud7ff", "=1+1", "'", '"', 'a"b', "a\nb", "a\r\nb", "a,b", "a\tb", "a;b", "\\", "\\N",
            "{}", "[]", '{"a":1}', "x" * 4000, "a1", "123.0", "007",
        ]
    ),
    st.text(st.characters(codec="utf-8"), max_size=12),
)  # fmt: skip
JSON_VALUES = st.one_of(
    VALUES,
    st.sampled_from([None, True, False, 0, -1, 10**20, 1e308, 1.5, [], {}, [[]], [None], {"": None}]),
    st.recursive(st.integers(), lambda inner: st.lists(inner, max_size=2), max_leaves=4),
)


@dataclass(frozen=True)
class Sample:
    """A valid file: where it is put, and what writes it with one change or another to its table or records.

    `is_counted`: whether a row of the table is a row of the feed, so that rows can be counted.
    """

    folder: str
    name: str
    rows: Any
    write: Callable[[Any], bytes]
    is_counted: bool = False

    @property
    def format(self) -> str:
        """What its findings are listed under."""
        return self.name.split(".", 1)[1]


@dataclass(frozen=True)
class Change:
    """One change of structure: what, where (parts of SCALE) and with which value."""

    kind: str
    row: int
    column: int
    value: Any


@dataclass(frozen=True)
class Cut:
    """One change of bytes: what, from where, how many bytes, and bytes to put there."""

    kind: str
    at: int
    length: int
    token: bytes


@dataclass(frozen=True)
class Mutation:
    """All that is done to a sample: to its structure, to its bytes, and to its bytes once they are packed."""

    sample: int
    changes: tuple[Change, ...]
    cuts: tuple[Cut, ...]
    packing: str
    packed_cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class Mutated:
    """A file to land. `rows`: what each row says, by column, where that is sure."""

    folder: str
    name: str
    format: str
    data: bytes
    rows: list[dict[str, str]] | None

    @property
    def path(self) -> str:
        """Below the extracts."""
        return f"{self.folder}/{self.name}"


TABLE_CHANGES = (
    "cell", "column_name", "drop_column", "repeat_column", "move_column", "drop_row", "repeat_row",
    "short_row", "long_row", "many_rows", "no_header",
)  # fmt: skip
RECORD_CHANGES = ("value", "drop", "rename", "repeat", "nest", "many")
CUTS = ("flip", "drop", "insert", "repeat", "truncate", "swap")
PLACES = st.integers(0, SCALE - 1)
CHANGES = st.builds(Change, st.sampled_from(TABLE_CHANGES + RECORD_CHANGES), PLACES, PLACES, JSON_VALUES)
BYTES = st.builds(
    Cut, st.sampled_from(CUTS), PLACES, st.integers(1, 60), st.sampled_from(TOKENS) | st.binary(max_size=8)
)


def mutations() -> st.SearchStrategy[Mutation]:
    """Changes of structure or of bytes, and seldom of both: what is refused for one thing shows no other."""
    none: st.SearchStrategy[tuple[()]] = st.just(())
    changes = st.lists(CHANGES, min_size=1, max_size=2).map(tuple)
    cuts = st.lists(BYTES, min_size=1, max_size=2).map(tuple)
    sample, packing = st.sampled_from(range(len(samples()))), st.sampled_from(["", "", "", ".gz", ".zst"])
    return st.one_of(
        st.builds(Mutation, sample, changes, none, packing, none),
        st.builds(Mutation, sample, changes, none, packing, none),
        st.builds(Mutation, sample, none, cuts, packing, none),
        st.builds(Mutation, sample, changes, cuts, packing, none | cuts),
    )


def mutated(mutation: Mutation) -> Mutated:
    """The file that a mutation makes of its sample."""
    sample = samples()[mutation.sample]
    rows = sample.rows
    for change in mutation.changes:
        rows = _changed(rows, change)
    data = sample.write(rows)
    known = None
    if sample.is_counted and not mutation.cuts and not mutation.packed_cuts:
        is_delimited = sample.name.endswith(
            ("csv", "tsv")
        )  # where a row without a cell is an empty line, and none
        known = _records([rows[0], *(row for row in rows[1:] if row or not is_delimited)])
    for cut in mutation.cuts:
        data = _cut(data, cut)
    name = sample.name
    if not name.endswith((".gz", ".zst", ".zip", ".xlsx")):
        name += mutation.packing
        if mutation.packing == ".gz":
            data = gzip.compress(data, mtime=0)
        elif mutation.packing == ".zst":
            data = zstandard.compress(data)
    for cut in mutation.packed_cuts:
        data = _cut(data, cut)
    return Mutated(sample.folder, name, sample.format, data, known)


def _cut(data: bytes, cut: Cut) -> bytes:
    at = cut.at * len(data) // SCALE
    part = data[at : at + cut.length]
    if cut.kind == "truncate":
        return data[:at]
    middle = {
        "flip": bytes([part[0] ^ (1 << cut.length % 8)]) + part[1:] if part else b"",
        "drop": b"",
        "insert": cut.token + part,
        "repeat": part + part,
        "swap": part[::-1],
    }[cut.kind]
    return data[:at] + middle + data[at + cut.length :]


def _changed(rows: Any, change: Change) -> Any:
    if isinstance(rows, list) and rows and isinstance(rows[0], list):
        return _changed_table(rows, change)
    return _changed_records(rows, change)


def _changed_table(rows: list[list[Any]], change: Change) -> list[list[Any]]:
    """A table of header and rows with one change; changes of JSON alone leave it as it is."""
    header, *body = [list(row) for row in rows]
    if not header:
        return [header, *body]
    column = change.column * len(header) // SCALE
    row = change.row * len(body) // SCALE
    value = change.value if isinstance(change.value, str) else json.dumps(change.value)
    match change.kind:
        case "column_name":
            header[column] = value
        case "drop_column":
            return [[cell for at, cell in enumerate(one) if at != column] for one in (header, *body)]
        case "repeat_column":
            return [[*one, *one[column : column + 1]] for one in (header, *body)]
        case "move_column":
            return [one[column:] + one[:column] for one in (header, *body)]
        case "no_header" if body:
            return body
    if body:
        match change.kind:
            case "cell" if column < len(body[row]):
                body[row][column] = value
            case "drop_row":
                del body[row]
            case "repeat_row":
                body.append(list(body[row]))
            case "short_row":
                body[row] = body[row][:column]
            case "long_row":
                body[row] = [*body[row], value]
            case "many_rows":
                body *= 300
    return [header, *body]


def _changed_records(value: Any, change: Change) -> Any:
    """JSON with one change to one of its values; changes of tables alone leave it as it is."""
    value = json.loads(json.dumps(value))
    spots = [*_spots(value)]
    if not spots:
        return value
    holder, key = spots[change.row * len(spots) // SCALE]
    match change.kind:
        case "value":
            holder[key] = change.value
        case "drop":
            del holder[key]
        case "rename" if isinstance(holder, dict):
            holder[change.value if isinstance(change.value, str) else "x"] = holder.pop(key)
        case "repeat" if isinstance(holder, list):
            holder.append(holder[key])
        case "many" if isinstance(holder, list):
            holder.extend(holder * 100)
        case "nest":
            for _ in range(1 + change.column * 150 // SCALE):
                holder[key] = [holder[key]]
    return value


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value that another value may take."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _spots(value[key])


@cache
def samples() -> tuple[Sample, ...]:
    """Every feed in every format, and the vendors' objects in every shape of their tests."""
    return (*_of_feeds(), *_of_vendors())


def example_rows(feed: Feed, first: int = 0) -> list[list[str]]:
    """A header and rows with the examples of the contract, each with ids of its own."""
    columns = [column for column in feed.columns if column.example or column.required]
    rows = [
        [
            f"{column.example}-{number}"
            if column.type == "id" and column.name in feed.key
            else column.example
            for column in columns
        ]
        for number in range(first, first + ROWS)
    ]
    return [[column.name for column in columns], *rows]


def _of_feeds() -> Iterator[Sample]:
    for name, feed in load_feeds().items():
        rows = example_rows(feed, first=1000)
        for kind, write in WRITERS.items():
            yield Sample(name, f"day.{kind}", rows, write, is_counted=True)
        for dialect, write in DIALECTS.items():
            yield Sample(name, f"{dialect}.csv", rows, write)
        yield Sample(name, "typed.parquet", [list(row) for row in rows], typed_parquet(feed))


def _of_vendors() -> Iterator[Sample]:
    cases = [
        (case.folder, name, data) for case in test_vendors.CASES.values() for name, data in case.files.items()
    ]
    cases += [("stripe/subscriptions", name, data) for name, data in test_stripe.SHAPES.items()]
    for folder, name, content in cases:
        data = content.encode() if isinstance(content, str) else content
        ending = name.split(".", 1)[1]
        if ending == "csv":
            yield Sample(
                folder, name, list(csv.reader(io.StringIO(data.decode(), newline=""))), delimited(",")
            )
        elif ending in ("json", "jsonl", "ndjson"):
            yield Sample(folder, name, _json_values(data.decode()), json_lines)
        elif ending.endswith(".gz"):
            packed = gzip.compress(data, mtime=0) if isinstance(content, str) else data
            yield Sample(folder, name, {}, lambda _, packed=packed: packed)
        else:
            yield Sample(folder, name, {}, lambda _, data=data: data)


def _json_values(text: str) -> list[Any]:
    decoder, values, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        values.append(value)
    return values


# what writes them


def delimited(delimiter: str, *, quote: int = csv.QUOTE_MINIMAL, end: str = "\n") -> Callable[[Any], bytes]:
    def write(rows: list[list[str]]) -> bytes:
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter, quoting=quote, lineterminator=end)
        writer.writerows(rows)
        return out.getvalue().encode("utf-8", "surrogatepass")

    return write


def _records(rows: list[list[str]]) -> list[dict[str, str]]:
    return [dict(zip(rows[0], row, strict=False)) for row in rows[1:]]


def json_lines(values: list[Any]) -> bytes:
    if values and isinstance(values[0], list) and all(isinstance(one, str) for one in values[0]):
        values = _records(values)
    return "".join(json.dumps(value) + "\n" for value in values).encode()


def json_array(rows: list[list[str]], indent: int | None = None) -> bytes:
    return json.dumps(_records(rows), indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")


def parquet(rows: list[list[str]]) -> bytes:
    width = max(map(len, rows))
    columns = [[row[at] if at < len(row) else None for row in rows[1:]] for at in range(width)]
    names = [*rows[0], *(f"more_{at}" for at in range(len(rows[0]), width))]
    out = io.BytesIO()
    arrays = [pa.array(column, pa.string()) for column in columns]
    pq.write_table(pa.Table.from_arrays(arrays, names=names), out, row_group_size=2)
    return out.getvalue()


def typed_parquet(feed: Feed) -> Callable[[Any], bytes]:
    """Parquet with the types that a database gives them; a value that is none of its type is null."""
    types = {column.name: column.type for column in feed.columns}
    makers: dict[str, tuple[pa.DataType, Callable[[str], Any]]] = {
        "timestamp": (
            pa.timestamp("us", "UTC"),
            lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
        ),
        "date": (pa.date32(), lambda text: datetime.fromisoformat(text).date()),
        "bool": (pa.bool_(), lambda text: text == "true"),
        "int": (pa.int32(), lambda text: max(-(2**31), min(2**31 - 1, int(text)))),
        "decimal": (pa.float64(), float),
        "json": (pa.list_(pa.struct([("a", pa.string())])), lambda text: [{"a": text}]),
    }

    def write(rows: list[list[str]]) -> bytes:
        width = len(rows[0])
        arrays = []
        for at, name in enumerate(rows[0]):
            kind, make = makers.get(types.get(name, ""), (pa.string(), str))
            column = []
            for row in rows[1:]:
                try:
                    column.append(make(row[at]))
                except (ValueError, IndexError, OverflowError):
                    column.append(None)
            arrays.append(pa.array(column, kind))
        out = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, names=rows[0][:width]), out, compression="zstd")
        return out.getvalue()

    return write


def xlsx(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([ILLEGAL_CHARACTERS_RE.sub("", cell) for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "csv": delimited(","),
    "tsv": delimited("\t"),
    "ndjson": json_lines,
    "jsonl": json_lines,
    "json": json_array,
    "parquet": parquet,
    "xlsx": xlsx,
}
DIALECTS: dict[str, Callable[[Any], bytes]] = {
    "semicolon": delimited(";"),
    "pipe": delimited("|"),
    "quoted": delimited(",", quote=csv.QUOTE_ALL, end="\r\n"),
    "mac": delimited(",", end="\r"),
    "bom": lambda rows: codecs.BOM_UTF8 + delimited(",")(rows),
    "utf16": lambda rows: delimited("\t")(rows).decode("utf-8", "replace").encode("utf-16"),
    "latin1": lambda rows: (
        delimited(",")([*rows[:1], *([*row[:-1], "Zo\xeb"] for row in rows[1:])])
        .decode()
        .encode("latin-1", "replace")
    ),
}
