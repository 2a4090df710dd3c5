"""The shapes in which the records of a vendor's object arrive, as small files."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import Any

Record = dict[str, Any]


def mail_id(address: str) -> str:
    """What an adapter makes of an e-mail address: its MD5 and its domain."""
    return f"{hashlib.md5(address.lower().encode()).hexdigest()}@{address.lower().split('@')[1]}"


def pages(records: list[Record], key: str = "data") -> str:
    """Two pages of an API one after the other, each with its envelope."""
    half = (len(records) + 1) // 2
    envelopes = [
        {"object": "list", key: part, "has_more": False} for part in (records[:half], records[half:])
    ]
    return "\n".join(json.dumps(envelope, indent=2) for envelope in envelopes)


def array(records: list[Record]) -> str:
    return json.dumps(records)


def lines(records: list[Record]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def list_of_pages(records: list[Record], key: str = "data") -> str:
    return json.dumps([{key: records, "has_more": False}, {key: [], "has_more": False}])


def singer(records: list[Record], stream: str = "things") -> str:
    """The messages of a Singer tap."""
    messages: list[Record] = [{"type": "SCHEMA", "stream": stream, "schema": {}, "key_properties": ["id"]}]
    messages += [
        {"type": "RECORD", "stream": stream, "record": record, "time_extracted": "2026-03-01T00:00:00Z"}
        for record in records
    ]
    return lines([*messages, {"type": "STATE", "value": {}}])


def airbyte_raw(records: list[Record]) -> str:
    """A raw table of Airbyte as CSV: the record as JSON in one column."""
    return table(
        [
            {
                "_airbyte_ab_id": f"u{number}",
                "_airbyte_emitted_at": 1772323200000,
                "_airbyte_data": json.dumps(record),
            }
            for number, record in enumerate(records)
        ]
    )


def airbyte_lines(records: list[Record]) -> str:
    """The same as JSON lines, of Airbyte's local and S3 destinations."""
    return lines(
        [
            {"_airbyte_ab_id": "u", "_airbyte_emitted_at": 1772323200000, "_airbyte_data": one}
            for one in records
        ]
    )


def flat(record: Record, joint: str = "_", inside: str = "") -> Record:
    """Nested objects as columns, lists as JSON, as loading tools make tables of records."""
    found: Record = {}
    for name, value in record.items():
        if isinstance(value, dict) and value:
            found |= flat(value, joint, f"{inside}{name}{joint}")
        else:
            found[f"{inside}{name}"] = json.dumps(value) if isinstance(value, list) else value
    return found


def table(rows: list[Record]) -> str:
    """CSV with a header."""
    text = io.StringIO()
    header = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def dlt(records: list[Record]) -> str:
    """A table of dlt: two underscores, a load id."""
    return table(
        [flat(record, "__") | {"_dlt_load_id": "1772323200.1", "_dlt_id": "x"} for record in records]
    )


def fivetran(records: list[Record], prefix: str = "") -> str:
    """A table of Fivetran: one underscore, when it was synced, whether it was deleted."""
    return table(
        [
            {
                f"{prefix}{name}" if prefix and name != "id" else name: value
                for name, value in flat(record).items()
            }
            | {"_fivetran_synced": "2026-03-01 00:00:00.123", "_fivetran_deleted": "FALSE"}
            for record in records
        ]
    )
