"""Relations and columns as DuckDB's catalogue has them, and names and texts as its SQL writes them."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from radar.publishing.queries import QUERIES


@dataclass(frozen=True)
class Column:
    """A column as the catalogue has it."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True)
class Relation:
    """A table or view as the catalogue has it."""

    schema: str
    name: str
    kind: str
    comment: str | None
    view_sql: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> str:
        """`schema.name`, as the contract writes it."""
        return f"{self.schema}.{self.name}"

    @property
    def signature(self) -> tuple[tuple[str, str], ...]:
        """Names and types of the columns, in order."""
        return tuple((column.name, column.type) for column in self.columns)

    def inside(self, database: str) -> str:
        """The quoted name in the given catalogue."""
        return f"{quoted(database)}.{quoted(self.schema)}.{quoted(self.name)}"


def read_catalogue(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, Relation]:
    """All tables and views of an attached database, by `schema.name`."""
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, name, column, kind, comment in con.execute(
        QUERIES["columns"], {"database": database}
    ).fetchall():
        columns.setdefault((schema, name), []).append(Column(column, kind, comment))
    return {
        f"{schema}.{name}": Relation(schema, name, kind, comment, sql, tuple(columns.get((schema, name), ())))
        for schema, name, kind, comment, sql in con.execute(
            QUERIES["relations"], {"database": database}
        ).fetchall()
    }


def quoted(identifier: str) -> str:
    """The identifier in SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def text_of(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """The one value that a query returns, as text; empty without a row."""
    return str((con.execute(query).fetchone() or ("",))[0])


def count_of(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    """The rows of a relation or a subquery."""
    return int(text_of(con, f"select count(*) from {relation}"))
