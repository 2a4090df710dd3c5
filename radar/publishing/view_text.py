"""The text of a view: what it reads, and how it reads the same under any name of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import duckdb

from radar.core.errors import InputError
from radar.publishing.catalogue import Relation

_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|[^\W\d][\w$]*|\s+|.""", re.DOTALL)


def select_of(view_sql: str) -> str:
    """The query of a `create view` statement as DuckDB keeps it."""
    depth = position = 0
    for word in _TOKEN.findall(view_sql):
        position += len(word)
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() == "AS":
            return view_sql[position:].strip().rstrip(";")
    raise InputError(f"cannot read the view {view_sql[:80]}", "materialize it as a table")


def references_of(con: duckdb.DuckDBPyConnection, select: str, view: Relation) -> list[tuple[str, str, str]]:
    """(catalogue, schema, name) of every relation that a query names; empty text where it names no part."""
    row = con.execute("select json_serialize_sql($sql)", {"sql": select}).fetchone()
    tree = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        raise InputError(
            f"cannot read the view {view.key}: {tree.get('error_message', '')}", "materialize it as a table"
        )
    return sorted(set(_named_relations(tree)))


def _named_relations(node: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield node["catalog_name"], node["schema_name"], node["table_name"]
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _named_relations(child)


def without_catalogue(select: str, references: Collection[tuple[str, str, str]]) -> str:
    """The query with `catalogue.schema.name` cut to `schema.name`: valid in any file, by any alias.

    Only names in `references` are cut; text literals and longer paths are left alone.
    """
    full = {tuple(part.casefold() for part in reference) for reference in references if reference[0]}
    tokens = _TOKEN.findall(select)
    result: list[str] = []
    position = 0
    while position < len(tokens):
        path = tokens[position : position + 5]
        starts_a_path = not result or result[-1] != "."
        if starts_a_path and path[1::2] == [".", "."] and tuple(map(_plain, path[::2])) in full:
            position += 2
        result.append(tokens[position])
        position += 1
    return "".join(result)


def _plain(identifier: str) -> str:
    if identifier.startswith('"'):
        identifier = identifier[1:-1].replace('""', '"')
    return identifier.casefold()
