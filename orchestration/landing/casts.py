"""Builds the SQL that turns one value of an extract into the contract's type. Pure functions, no connection.

Every cast is a `try_cast`: a value that is there and becomes null is of the wrong type. Text is read as
ISO 8601 (without an offset it is UTC), as plain decimal numbers, as true/false/yes/no/1/0.
"""

from __future__ import annotations

from orchestration.landing.feeds import SQL_TYPES, Column

# DuckDB would read 12.5 as the integer 13, 1_000 as 1000 and 0x10 as 16.
_INTEGER = r"\s*[+-]?[0-9]+([.]0*)?\s*"
_NUMBER = r"\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?\s*"

_NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DECIMAL", "FLOAT", "DOUBLE")
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NESTED = ("STRUCT", "MAP", "UNION", "JSON")

AMOUNT = SQL_TYPES["decimal"]

EXPECTED = {
    "timestamp": "a time such as 2026-03-13T10:00:00Z",
    "date": "a date such as 2026-03-13",
    "bool": "true or false",
    "int": "a whole number",
    "decimal": "a number such as 1200.50, of at most twelve digits before the point",
    "json": "JSON",
    "id": "text",
    "text": "text",
    "enum": "text",
}


def clean(value: str, sql_type: str) -> str:
    """The value as read, '' as null. The other functions take what this one gave."""
    return f"nullif({value}, '')" if sql_type == "VARCHAR" else value


def as_text(value: str, sql_type: str) -> str:
    """The value as text: what ids are made of, and what is masked where it is refused."""
    if sql_type == "VARCHAR":
        return value
    if sql_type in ("FLOAT", "DOUBLE"):  # an id that some tool took for a number: 12.0 is 12
        whole = f"cast(cast({value} as bigint) as varchar)"
        return (
            f"case when abs({value}) < 1e15 and {value} = trunc({value}) then {whole}"
            f" else cast({value} as varchar) end"
        )
    if _is_nested(sql_type):
        return f"cast(to_json({value}) as varchar)"
    return f"cast({value} as varchar)"


def as_type(column: Column, value: str, sql_type: str) -> str:
    """The value as the column's type, null where it is not of that type."""
    if column.type in ("id", "text", "enum"):
        return as_text(value, sql_type)
    build = {
        "json": _json,
        "timestamp": _timestamp,
        "date": _date,
        "bool": _bool,
        "int": _integer,
        "decimal": _decimal,
    }[column.type]
    return build(value, sql_type)


def masked(text: str) -> str:
    """First character and length: never a whole value of a customer in a log."""
    return f"left({text}, 1) || '***(' || length({text}) || ')'"


def _is_nested(sql_type: str) -> bool:
    return sql_type.startswith(_NESTED) or sql_type.endswith("]")


def _json(value: str, sql_type: str) -> str:
    text = as_text(value, sql_type)
    return text if _is_nested(sql_type) else f"case when json_valid({text}) then {text} end"


def within_years(column: Column, value: str) -> str:
    """A cast time or date, null outside the years 1900 to 9999 (DuckDB reads 'infinity' and years BC)."""
    if column.type not in ("timestamp", "date"):
        return value
    return f"case when {value} between date '1900-01-01' and date '9999-12-30' then {value} end"


def _timestamp(value: str, sql_type: str) -> str:
    if sql_type.startswith("TIMESTAMP") or sql_type == "DATE":
        return f"try_cast({value} as timestamp)"
    text = as_text(value, sql_type)
    # the second form is tried only where the first fails: ' +02:00' with a space, a small z
    spaced = rf"regexp_replace(upper(trim({text})), '\s+([+-])', '\1')"
    # below ':' lie the digits; DuckDB would also take the words epoch and infinity
    return (
        f"case when {text} < ':' then try_cast(coalesce("
        f"try_cast({text} as timestamptz), try_cast({spaced} as timestamptz)) as timestamp) end"
    )


def _date(value: str, sql_type: str) -> str:
    return value if sql_type == "DATE" else f"cast({_timestamp(value, sql_type)} as date)"


def _bool(value: str, sql_type: str) -> str:
    if sql_type == "BOOLEAN":
        return value
    return f"try_cast(trim({as_text(value, sql_type)}) as boolean)"


def _integer(value: str, sql_type: str) -> str:
    if sql_type.removeprefix("U") in _WHOLE:
        return f"try_cast({value} as bigint)"
    text = as_text(value, sql_type)
    whole = f"try_cast(try_cast({text} as decimal(38, 6)) as bigint)"
    return f"case when regexp_full_match({text}, '{_INTEGER}') then {whole} end"


def _decimal(value: str, sql_type: str) -> str:
    if sql_type.removeprefix("U").startswith(_NUMERIC):
        return f"try_cast({value} as {AMOUNT})"
    text = as_text(value, sql_type)
    return f"case when regexp_full_match({text}, '{_NUMBER}') then try_cast({text} as {AMOUNT}) end"
