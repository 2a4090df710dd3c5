"""Builds the SQL that turns one value of an extract into the contract's type. Pure functions of the column.

Every cast is a `try_cast`: a value that is there and becomes null is of the wrong type. What a value means
is decided from that value alone, never from another row; in which notation a column is written, from all of
its values (`notations`), before anything is cast.

- Outer white space, no-break and zero-width characters are no part of a value; ids and words of enumerations
  lose zero-width ones inside too.
- `EMPTY_WORDS` mean an empty cell: in typed columns and enumerations, and in ids whose name ends in `_id`.
- Times are ISO 8601; one without an offset is UTC. An offset, `Z`, `UTC`, `GMT` and whole zone names
  (Europe/Berlin) are read; an abbreviation (EST, CEST, BST) is refused: most mean several zones.
- Words of an enumeration are compared by their letters and digits, in any case, and by listed spellings.
"""

from __future__ import annotations

from functools import cache

import duckdb

from radar.landing import notations
from radar.landing.feeds import CURRENCY, SQL_TYPES, Column

# Beyond ASCII: next line, no-break, Ogham, en and em spaces, line and paragraph ends, narrow, ideographic.
_BLANK = (
    " \t\n\v\f\r\x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
_ZERO_WIDTH = "\xad\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
EMPTY_WORDS = ("null", "(null)", "<null>", "none", "nan", "nat", "n/a", "#n/a", "\\n", "-", "--")
"""In lower case. `\\N` is how MySQL and PostgreSQL write it, `NaT` pandas, `#N/A` a spreadsheet."""
NO_LIMIT_WORDS = ("-1", "-1.0", "unlimited", "no limit", "infinite", "infinity", "inf", "∞")
"""In whole numbers (seats), where they mean that there is no number."""
OPEN_END_FROM = "date '2200-01-01'"
"""From here on a date in a column marked `open` means that there is no end (9999-12-31, 2999-12-31)."""

# DuckDB would read 12.5 as the integer 13, 1_000 as 1000 and 0x10 as 16.
_INTEGER = "[+-]?[0-9]+([.]0*)?"
_NUMBER = "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"
_CUT_ID = "[0-9]([.,][0-9]+)?[eE][+][0-9]+"
_OFFSET = r"[0-9]\s*([+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?)$"
_ZONE_NAME = r"[0-9]\s*\[?([A-Za-z]+(?:/[A-Za-z0-9_+-]+)+)\]?$"

_FIRST = "[0-9A-MO-Za-mo-z]"

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
    "id": "the whole id, not in scientific notation: format the column as text and send it again",
    "text": "text",
    "enum": "text",
    "email": "text",
    CURRENCY: "the three letters of a currency, such as EUR: what the amount is in USD is not known",
}


def clean(column: Column, value: str, sql_type: str) -> str:
    """The value as read, null where it is empty. The other functions take what this one gave."""
    if sql_type in ("FLOAT", "DOUBLE"):
        value = f"case when not isnan({value}) then {value} end"
    if column.type == "int" and sql_type.removeprefix("U").startswith(_NUMERIC):
        return f"nullif({value}, -1)"
    if sql_type != "VARCHAR":
        return value
    trimmed = f"trim({value}, {_literal(_BLANK + _ZERO_WIDTH)})"
    if column.type in ("id", "enum"):
        trimmed = f"translate({trimmed}, {_literal(_ZERO_WIDTH)}, '')"
    cleaned = f"nullif({trimmed}, '')"
    words = _words_for_empty(column)
    if words:
        zero_date = "[0-9]{4}-00-00.*|0001-01-01.*"
        is_zero = f" or regexp_full_match({trimmed}, '{zero_date}')" if _is_time(column) else ""
        # not `in`: DuckDB makes a join of it, which looks at every row
        is_empty = f"list_contains([{', '.join(map(_literal, words))}], lower({trimmed})){is_zero}"
        cleaned = f"case when not ({is_empty}) then {cleaned} end"
    return f"case when {_is_clean(column, value)} then {value} else {cleaned} end"


def _words_for_empty(column: Column) -> tuple[str, ...]:
    if column.format == CURRENCY:
        return EMPTY_WORDS
    if column.type == "text" or (column.type == "id" and not column.name.endswith("_id")):
        return ()
    return EMPTY_WORDS + (NO_LIMIT_WORDS if column.type == "int" else ())


def _is_clean(column: Column, value: str) -> str:
    """A quick test that almost every value passes, and none that has to be looked at."""
    if column.type in ("timestamp", "date"):
        return f"{value} >= '1' and {value} < '3'"
    if column.type in ("int", "decimal"):
        return f"{value} >= '0' and {value} < ':'"
    if column.type == "json":
        return f"starts_with({value}, '{{')"
    if column.type == "text" and column.format != CURRENCY:
        return f"regexp_full_match({value}, '[!-~]|[!-~](?s:.*)[!-~]')"
    if not _words_for_empty(column):
        return f"regexp_full_match({value}, '[!-~]([ -~]*[!-~])?')"
    # no word for empty begins so, or is as long
    return f"regexp_full_match({value}, '{_FIRST}([ -~]*[!-~])?|[!-~][ -~]{{6,}}[!-~]')"


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
    if column.format == CURRENCY:
        return _currency(as_text(value, sql_type))
    if column.type == "text":
        return as_text(value, sql_type)
    if column.type == "enum":
        return _enum(column, as_text(value, sql_type))
    if column.type == "id":
        return _id(column, as_text(value, sql_type))
    build = {
        "json": _json,
        "timestamp": _timestamp,
        "date": _date,
        "bool": _bool,
        "int": _integer,
        "decimal": _decimal,
    }[column.type]
    return build(value, sql_type)


def can_be_wrong(column: Column) -> bool:
    """Whether there are values that the column's type does not take."""
    if column.format == CURRENCY:
        return True
    return column.type not in ("text", "enum") and not (column.type == "id" and not _is_key(column))


def expected(column: Column, text: str, notation: str | None = None) -> str:
    """What the column takes, as SQL: with a hint where the value shows in which notation it is written."""
    message = _literal(f"expected {EXPECTED[column.format or column.type]}")
    readings = notations.readings(notation, text)
    if readings:
        return f"{message} || {readings}"
    if column.type in ("int", "decimal"):
        hint = (
            f"case when contains({text}, ',')"
            " then '; it is written with a comma (as in 1.000,00 or 1,000.00):"
            f" write a point before the decimals and no group separators'"
            f" when regexp_matches({text}, '[0-9]') then '; write the bare number' else '' end"
        )
        return f"{message} || {hint}"
    if _is_time(column):
        hint = (
            rf"case when regexp_matches({text}, '[0-9]\s*[A-Za-z]{{2,5}}$')"
            " then '; abbreviations of zones are not read: write an offset such as +01:00, Z,"
            " or a whole name such as Europe/Berlin' else '' end"
        )
        return f"{message} || {hint}"
    return message


def masked(text: str) -> str:
    """First character and length: never a whole value of a customer in a log."""
    return f"left({text}, 1) || '***(' || length({text}) || ')'"


def whole_id(value: str) -> str:
    """An id without the `.0` that a data frame appended, for a column that is numeric throughout."""
    return f"regexp_replace({value}, '[.]0+$', '')"


def is_whole_id(value: str) -> str:
    """A condition: digits alone, or with `.0` after them."""
    return f"regexp_full_match({value}, '[0-9]+([.]0+)?')"


def folded(value: str) -> str:
    """Lower case, letters and digits alone: what words of an enumeration are compared by."""
    return f"regexp_replace(lower({value}), '[^a-z0-9]', '', 'g')"


def within_years(column: Column, value: str) -> str:
    """A cast time or date, null outside the years 1900 to 9999 (DuckDB reads 'infinity' and years BC).

    One that an offset has moved out of the year 9999 stays in it. No end is null, where a column is `open`.
    """
    if not _is_time(column):
        return value
    last = "timestamp '9999-12-31 23:59:59.999999'" if column.type == "timestamp" else "date '9999-12-31'"
    bounded = f"least({value}, {last})"
    if column.is_open_ended:
        bounded = f"case when {value} < {OPEN_END_FROM} then {value} end"
    return (
        f"case when isfinite({value}) and {value} >= date '1900-01-01' and {value} < date '10000-01-02'"
        f" then {bounded} end"
    )


def is_open_end(column: Column, value: str) -> str | None:
    """A condition on a cast value: it means that there is no end; None where the column cannot mean that."""
    if not column.is_open_ended:
        return None
    return (
        f"coalesce(isfinite({value}) and {value} >= {OPEN_END_FROM} and {value} < date '10000-01-02', false)"
    )


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _is_nested(sql_type: str) -> bool:
    return sql_type.startswith(_NESTED) or sql_type.endswith("]")


def _is_time(column: Column) -> bool:
    return column.type in ("timestamp", "date")


def _is_key(column: Column) -> bool:
    return column.name.endswith("_id")


def _id(column: Column, text: str) -> str:
    """Null for 1.23457E+11: whoever wrote that cut the id, and several became one."""
    if not _is_key(column):
        return text
    has_exponent = f"(contains({text}, 'E+') or contains({text}, 'e+'))"
    return f"case when not ({has_exponent} and regexp_full_match({text}, '{_CUT_ID}')) then {text} end"


def _enum(column: Column, text: str) -> str:
    """The allowed word where the value is another spelling of it, else the value as it is."""
    if not column.spellings:
        return text
    allowed = ", ".join(map(_literal, column.words))
    cases = " ".join(
        f"when {_literal(spelling)} then {_literal(word)}" for spelling, word in column.spellings.items()
    )
    word = f"case {folded(text)} {cases} else {text} end"
    return f"case when list_contains([{allowed}], {text}) then {text} else {word} end"


def _currency(text: str) -> str:
    return f"case when regexp_full_match({text}, '[A-Za-z]{{3}}') then upper({text}) end"


def _json(value: str, sql_type: str) -> str:
    text = as_text(value, sql_type)
    return text if _is_nested(sql_type) else f"case when json_valid({text}) then {text} end"


def _timestamp(value: str, sql_type: str) -> str:
    """The common forms first: no sign after the date, then an offset; spellings and zone names last.

    DuckDB's cast to `timestamptz` is not used: in a vector it keeps the zone of the value before.
    """
    if sql_type.startswith("TIMESTAMP") or sql_type == "DATE":
        return f"try_cast({value} as timestamp)"
    text = as_text(value, sql_type)
    trimmed = f"trim({text}, {_literal(_BLANK + _ZERO_WIDTH)})"
    # Z and UTC as they may be written, and the name in brackets after an offset, which repeats it
    plain = (
        rf"regexp_replace(regexp_replace(regexp_replace({trimmed},"
        rf" '(Z|[+-][0-9]{{2}}:?[0-9]{{2}})\[[^\]]*\]$', '\1'),"
        rf" '([0-9])\s*(?i:Z|UTC|GMT)$', '\1Z'), '^([0-9-]+)t', '\1T')"
    )
    rare = f"coalesce({_without_offset('plain')}, {_with_offset('plain')}, {_with_zone('plain')})"
    # a list of one, so that DuckDB works out what it holds once and not wherever it is named
    rare = f"list_transform([{plain}], lambda plain: {rare})[1]"
    # above ':' are the words epoch and infinity
    return f"case when {text} < ':' then coalesce({_without_offset(text)}, {_with_offset(text)}, {rare}) end"


def _without_offset(text: str) -> str:
    has_sign = rf"regexp_matches({text}[11:], '[+-]')"
    return f"case when ends_with({text}, 'Z') or not {has_sign} then try_cast({text} as timestamp) end"


def _with_offset(text: str) -> str:
    offset = f"regexp_extract({text}, '{_OFFSET}', 1)"
    local = f"rtrim(left({text}, length({text}) - length({offset})))"
    hours = f"try_cast({offset}[1:3] as integer)"
    minutes = f"try_cast({offset}[1] || right({offset}, 2) as integer)"
    minutes = f"case when length({offset}) > 3 then {minutes} else 0 end"
    moved = f"try_cast({local} as timestamp) - to_minutes({hours} * 60 + {minutes})"
    return f"case when contains({text}, ':') and {offset} <> '' and contains({local}, ':') then {moved} end"


def _with_zone(text: str) -> str:
    """Local time of a zone that is named whole; `timezone` takes the name of each row for itself."""
    name = f"regexp_extract({text}, '{_ZONE_NAME}', 1)"
    local = rf"try_cast(regexp_extract({text}, '^(.*[0-9])\s*\[?[A-Za-z]+/', 1) as timestamp)"
    known = _literal(" ".join(("", *_zone_names(), "")))  # one text: a list of hundreds is slow to plan
    return (
        f"case when {name} <> '' and contains({known}, ' ' || lower({name}) || ' ')"
        f" then try_cast(timezone({name}, {local}) as timestamp) end"
    )


@cache
def _zone_names() -> tuple[str, ...]:
    """The names that DuckDB knows, in lower case, those without a slash left out: they are abbreviations."""
    with duckdb.connect(config={"threads": 1, "memory_limit": "64MB"}) as con:
        rows = con.execute("select distinct lower(name) from pg_timezone_names() where contains(name, '/')")
        return tuple(sorted(name for (name,) in rows.fetchall()))


def _date(value: str, sql_type: str) -> str:
    return value if sql_type == "DATE" else f"cast({_timestamp(value, sql_type)} as date)"


def _bool(value: str, sql_type: str) -> str:
    if sql_type == "BOOLEAN":
        return value
    text = f"trim({as_text(value, sql_type)})"
    return f"case {text} when '1.0' then true when '0.0' then false else try_cast({text} as boolean) end"


def _integer(value: str, sql_type: str) -> str:
    if sql_type.removeprefix("U") in _WHOLE:
        return f"try_cast({value} as bigint)"
    return _number(as_text(value, sql_type), _INTEGER, "try_cast(try_cast({} as decimal(38, 6)) as bigint)")


def _decimal(value: str, sql_type: str) -> str:
    if sql_type.removeprefix("U").startswith(_NUMERIC):
        return f"try_cast({value} as {AMOUNT})"
    return _number(as_text(value, sql_type), _NUMBER, f"try_cast({{}} as {AMOUNT})")


def _number(text: str, pattern: str, cast: str) -> str:
    """The text cast where it fits the pattern. Taking blanks off is slow: only where they are in the way."""
    trimmed = f"trim({text}, {_literal(_BLANK + _ZERO_WIDTH)})"
    cases = " ".join(
        f"when regexp_full_match({one}, '{pattern}') then {cast.format(one)}" for one in (text, trimmed)
    )
    return f"case {cases} end"
