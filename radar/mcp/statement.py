"""One read-only statement on `marts`, run in a process of its own that ends with it.

Two walls, each of which is enough for another person's rows. The statement is parsed by DuckDB, and read as a
tree in which everything that is not known to be harmless is refused: other schemas, files, settings,
functions that are not listed. And it runs on a database in memory: for a person with owner ids, that database
has only copies of their own rows, and the published copy is detached before the statement begins, so there is
nothing else to name.

Belongs here: what a statement may contain, and running it. Does not belong here: who asks
(`radar.mcp.tools`).
"""

from __future__ import annotations

import json
import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from radar.core.project import PROJECT
from radar.core.queries import named_queries
from radar.panel.people import Person, scoped

LOG = logging.getLogger("mcp.radar")
QUERIES = named_queries(Path(__file__).with_name("queries.sql"))
LONGEST = 10_000
"""Characters of a statement."""
MOST_CHARACTERS = 100_000
"""Of all cells of an answer together."""
AT_ONCE = 2
"""Statements that run at a time; others wait for them, within their own seconds."""

_VARIABLES = ("PATH", "PYTHONPATH", "LANG")
"""What the process has of the environment: no token, no password of a destination."""

_NODES = {
    "SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY",
    "EXPRESSION_LIST", "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER",
    "ASCENDING", "DESCENDING", "ORDER_DEFAULT",
}  # fmt: skip
"""Parts of a query that a statement may have; `TABLE_FUNCTION` is looked at by its name."""

_EXPRESSIONS = {
    "COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "CAST", "CASE", "BETWEEN", "OPERATOR", "SUBQUERY",
    "FUNCTION", "WINDOW", "STAR", "LAMBDA", "COLLATE", "POSITIONAL_REFERENCE",
}  # fmt: skip

_VALUES = {
    "current_catalog", "current_date", "current_role", "current_schema", "current_time", "current_timestamp",
    "current_user", "localtime", "localtimestamp", "session_user", "user",
}  # fmt: skip
"""Functions that are written like a column."""

_TABLE_FUNCTIONS = {"unnest", "range", "generate_series"}

_FUNCTIONS = """
+ - * / // % ** ^ & | << >> ~ @ || ~~ !~~ ~~* !~~* ~~~ ->> ^@ <@ @> abs add ceil ceiling divide even exp
floor greatest least ln log log10 log2 mod multiply pi pow power round round_even sign sqrt subtract trunc
isfinite isinf isnan fdiv fmod any_value approx_count_distinct approx_quantile arbitrary arg_max
arg_max_null arg_min arg_min_null array_agg avg bit_and bit_or bool_and bool_or corr count count_if
count_star countif covar_pop covar_samp entropy favg first fsum geomean geometric_mean group_concat
histogram kurtosis last list listagg mad max max_by mean median min min_by mode product quantile
quantile_cont quantile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope skewness
stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance weighted_avg cume_dist dense_rank
first_value lag last_value lead nth_value ntile percent_rank rank rank_dense row_number fill age century
date_add date_diff date_part date_sub date_trunc datediff datepart datesub datetrunc day dayname
dayofmonth dayofweek dayofyear days_in_month decade epoch era hour isodow isoyear last_day make_date
make_timestamp millisecond minute month monthname quarter second strftime strptime time_bucket to_days
to_hours to_minutes to_months to_seconds to_weeks to_years try_strptime week weekday weekofyear year
yearweek array_to_string ascii concat concat_ws contains ends_with instr jaccard jaro_similarity
jaro_winkler_similarity lcase left length levenshtein like_escape ilike_escape not_ilike_escape
not_like_escape lower ltrim nfc_normalize position prefix regexp_extract regexp_extract_all
regexp_full_match regexp_matches regexp_replace regexp_split_to_array replace reverse right rtrim split
split_part starts_with str_split string_split string_split_regex string_to_array strip_accents strlen
strpos substr substring suffix translate trim ucase upper array_contains array_extract array_has
array_length array_position array_slice array_sort array_value flatten len list_aggregate list_any_value
list_append list_apply list_avg list_concat list_contains list_count list_distinct list_extract
list_filter list_first list_has list_has_all list_has_any list_last list_max list_median list_min
list_pack list_position list_reduce list_reverse list_slice list_sort list_sum list_transform list_unique
list_value unnest element_at map map_entries map_extract map_keys map_values map_contains row
struct_concat struct_extract struct_extract_at struct_insert struct_pack struct_values json_array_length
json_extract json_extract_path json_extract_string json_keys json_type json_valid json_value coalesce
ifnull nullif constant_or_null typeof md5 hash
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""What a statement may call: nothing that reads a file, the network, a setting or a catalogue, changes
anything, looks at the clock, or makes a text of a length that is given as a number."""


class RefusedError(Exception):
    """What was asked is not answered; the message names what to ask instead."""


@dataclass(frozen=True)
class Result:
    """The rows of a statement, as JSON has them; `is_cut` where there are more of them."""

    columns: list[str]
    rows: list[list[Any]]
    relations: list[str]
    is_cut: bool


_slots = threading.BoundedSemaphore(AT_ONCE)


def run(
    file: Path, person: Person, statement: str, *, rows: int, seconds: float, memory_limit: str
) -> Result:
    """Run it for this person on the published copy. Raises RefusedError."""
    asked = {
        "file": str(file), "name": person.name, "role": person.role, "owner_ids": person.owner_ids,
        "statement": statement, "rows": rows, "memory_limit": memory_limit,
    }  # fmt: skip
    if not _slots.acquire(timeout=seconds):
        raise RefusedError("Too many statements run at the moment: ask again in a while.")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "radar.mcp.statement"],
            input=json.dumps(asked), capture_output=True, text=True, check=False, timeout=seconds,
            cwd=PROJECT, env={name: os.environ[name] for name in _VARIABLES if name in os.environ},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RefusedError(
            f"The statement took longer than {seconds:g} seconds and was ended: ask for fewer rows."
        ) from None
    finally:
        _slots.release()
    if done.returncode:
        LOG.error("a statement ended its process with status %d", done.returncode)
        raise RefusedError(
            "The statement needed more memory than it may take: ask for fewer rows or columns."
        )
    answer = json.loads(done.stdout)
    if "refused" in answer:
        raise RefusedError(answer["refused"])
    return Result(**answer)


def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What the process answers: the fields of `Result`, or why it is `refused`."""
    person = Person(asked["name"], asked["role"], tuple(asked["owner_ids"]))
    con = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": asked["memory_limit"],
            "threads": 2,
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    try:
        relations = open_marts(con, Path(asked["file"]), person, asked["statement"])
        found = con.sql(asked["statement"]).limit(asked["rows"] + 1)
        columns = found.columns
        rows = [[plain(value) for value in row] for row in found.fetchall()]
    except RefusedError as error:
        return {"refused": str(error)}
    except duckdb.IOException:
        return {"refused": "The published copy was replaced in the meantime: ask again."}
    except duckdb.OutOfMemoryException:
        return {
            "refused": "The statement needed more memory than it may take: ask for fewer rows or columns."
        }
    except duckdb.Error as error:
        return {"refused": f"DuckDB cannot run it: {' '.join(str(error).split())[:500]}"}
    if len(json.dumps(rows)) > MOST_CHARACTERS:
        return {"refused": "The answer is too long: ask for fewer rows or columns."}
    is_cut = len(rows) > asked["rows"]
    return {"columns": columns, "rows": rows[: asked["rows"]], "relations": relations, "is_cut": is_cut}


def open_marts(con: duckdb.DuckDBPyConnection, file: Path, person: Person, statement: str) -> list[str]:
    """Make `con` a database with a schema `marts` and nothing else: of what the statement reads, this
    person's rows.

    The names of what it reads. Raises RefusedError where the statement is not one that may run.
    """
    con.execute("set TimeZone = 'UTC'")
    con.execute("set python_enable_replacements = false")
    escaped = str(file).replace("'", "''")
    con.execute(f"attach '{escaped}' as published (read_only)")
    columns = dict(con.execute(QUERIES["relations"]).fetchall())
    marks = {relation: _mark(person, names) for relation, names in columns.items()}
    relations = check(con, statement, {relation for relation, mark in marks.items() if mark}, set(columns))
    own_accounts = QUERIES["scored_accounts"]
    if "rpt_not_scored_accounts" in columns:  # a copy of an earlier version does not have it
        own_accounts += f" union all {QUERIES['not_scored_accounts']}"
    con.execute("create schema marts")
    # A view on the copy where all rows are theirs to see, otherwise a table with the rows that are.
    kind = "view" if person.scope is None else "table"
    for relation in relations:
        text = QUERIES[marks[relation] or ""].format(relation=relation, own_accounts=own_accounts)
        query, parameters = scoped(person, text)
        con.execute(f"create {kind} marts.{relation} as {query}", parameters)
    if person.scope is not None:
        con.execute("detach published")
    con.execute("set schema = 'marts'")
    con.execute("set enable_external_access = false")
    con.execute("set lock_configuration = true")
    return relations


def _mark(person: Person, columns: list[str]) -> str | None:
    """The query of this person's rows of a relation; None where its columns do not show whose they are."""
    if person.scope is None:
        return "whole"
    if "account_id" in columns:
        return "by_account"
    return "by_owner" if "owner_id" in columns else None


# --- what a statement may contain -------------------------------------------------------------------------


def check(con: duckdb.DuckDBPyConnection, statement: str, visible: set[str], existing: set[str]) -> list[str]:
    """The relations that the statement reads, all of them `visible`. Raises RefusedError for any other
    statement."""
    if len(statement) > LONGEST:
        raise RefusedError(f"The statement is longer than {LONGEST:,} characters.")
    try:
        parsed = con.extract_statements(statement)
    except duckdb.Error as error:
        raise RefusedError(f"DuckDB cannot read it: {' '.join(str(error).split())[:500]}") from None
    if len(parsed) != 1 or parsed[0].type != duckdb.StatementType.SELECT:
        raise RefusedError("Ask one select statement, and nothing else.")
    ((text,),) = con.execute("select json_serialize_sql($statement)", {"statement": statement}).fetchall()
    tree = json.loads(text)
    if tree["error"] or len(tree["statements"]) != 1:
        raise RefusedError("Ask one select statement, and nothing else.")
    names = {
        name for (name,) in con.execute("select view_name from duckdb_views() where internal").fetchall()
    }
    known = _Known(visible, existing, _names_of_ctes(tree, names))
    return sorted(set(_relations(tree["statements"][0]["node"], known)))


@dataclass(frozen=True)
class _Known:
    visible: set[str]
    existing: set[str]
    ctes: set[str]


def _names_of_ctes(tree: Any, internal: set[str]) -> set[str]:
    """Names that the statement gives to queries of its own; none may be that of a view of DuckDB's
    catalogue."""
    found = {
        entry["key"].casefold()
        for node in _nodes(tree)
        if isinstance(node.get("cte_map"), dict)
        for entry in node["cte_map"]["map"]
    }
    if found & {name.casefold() for name in internal}:
        raise RefusedError(
            "A query of a with clause has the name of a part of DuckDB's catalogue: name it otherwise."
        )
    return found


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _nodes(child)


def _relations(tree: Any, known: _Known) -> Iterator[str]:
    """What is read below this node, each part of it looked at. Raises RefusedError for a part that may not
    be."""
    for node in _nodes(tree):
        kind, of = node.get("type"), node.get("class")
        if of is not None:
            _check_expression(node, of)
        elif kind == "TABLE_FUNCTION":
            name = node["function"].get("function_name", "")
            if name not in _TABLE_FUNCTIONS:
                raise RefusedError(f"The function {name} may not be called: read relations of marts alone.")
        elif isinstance(kind, str) and kind not in _NODES and not kind.endswith("_TYPE_INFO"):
            raise RefusedError(f"{kind.replace('_', ' ').capitalize()} may not be part of a statement.")
        if kind == "BASE_TABLE":
            relation = _relation(node, known)
            if relation:
                yield relation


def _check_expression(node: Mapping[str, Any], of: str) -> None:
    if of not in _EXPRESSIONS:
        raise RefusedError(f"{of.replace('_', ' ').capitalize()} may not be part of a statement.")
    if of == "COLUMN_REF" and node["column_names"][-1].casefold() in _VALUES:
        raise RefusedError(f"The function {node['column_names'][-1]} may not be called.")
    name = node.get("function_name")
    if name is not None and (
        name not in FUNCTIONS | _TABLE_FUNCTIONS
        or node.get("catalog")
        or node.get("schema") not in ("", "main")
    ):
        raise RefusedError(f"The function {name} may not be called.")


def _relation(node: Mapping[str, Any], known: _Known) -> str | None:
    """The relation of `marts` that a table of the statement is; None for a query of its own with clause."""
    name, schema = str(node["table_name"]).casefold(), str(node["schema_name"]).casefold()
    if node["catalog_name"] or schema not in ("", "marts"):
        raise RefusedError("Only relations of the schema marts can be read: name them marts.RELATION.")
    if not schema and name in known.ctes:
        return None
    if name in known.visible:
        return name
    if name in known.existing:
        raise RefusedError(f"marts.{name} sums up all accounts: whoever sees some of them cannot read it.")
    raise RefusedError(
        f"There is no relation marts.{name[:100]}. There are: {', '.join(sorted(known.visible))}."
    )


def plain(value: Any) -> Any:  # noqa: PLR0911 one for each kind of value
    """The value as JSON has it: numbers as they are, days and times in ISO 8601 and UTC, the rest as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime):
        in_utc = value.astimezone(UTC) if value.tzinfo else value
        return f"{in_utc:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.isoformat() if isinstance(value, date | time) else str(value)


def main() -> None:
    """Answer what is asked on standard input, on standard output; both are JSON."""
    print(json.dumps(answer(json.load(sys.stdin))))


if __name__ == "__main__":
    main()
