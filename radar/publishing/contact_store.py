"""The contact store: names, addresses and texts of customers' people, for the panel alone.

The published copy holds none of them. This file is next to the panel's store, for its owner alone, and each
run makes it again from what the warehouse has: whoever the CRM has deleted is in no later one. Belongs here:
how it is made. What goes into it is decided in `models/outbound/`; who sees what, in `radar.panel.contacts`.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb

from radar.core.state_files import move_into_place
from radar.core.warehouse import readable_os_errors

_BATCH = 5_000
_SCHEMA = """
    create table contacts (
        contact_id text primary key, account_id text, owner_id text, full_name text, email text
    );
    create table texts (
        account_id text, owner_id text, kind text, object_id text, title text, text text,
        primary key (kind, object_id)
    );
    create index contacts_by_account on contacts (account_id);
    create index texts_by_account on texts (account_id);
"""
_ROWS = {
    "contacts": "select contact_id, account_id, owner_id, full_name, email from outbound.rpt_contact_details",
    "texts": "select account_id, owner_id, kind, object_id, title, text from outbound.rpt_contact_texts",
}


def write(con: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Replace the file by one of what the warehouse has now. Raises RadarError."""
    with readable_os_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        for left in file.parent.glob(f".{file.name}.*.new"):
            left.unlink(missing_ok=True)  # by a run that was killed
        new = file.with_name(f".{file.name}.{secrets.token_hex(4)}.new")
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(new, isolation_level=None)) as out:
                out.execute("pragma journal_mode = off")
                out.execute("pragma synchronous = off")
                out.executescript(_SCHEMA)
                out.execute("begin")
                for table, query in _ROWS.items():
                    read = con.execute(query)
                    holes = ", ".join("?" for _ in read.description or ())
                    while rows := read.fetchmany(_BATCH):
                        out.executemany(f"insert into {table} values ({holes})", rows)
                out.execute("commit")
            move_into_place(new, file)
        finally:
            new.unlink(missing_ok=True)
