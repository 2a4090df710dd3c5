"""The SQL that writes a row of a mart in the values of a destination, and what is wrong with its cells.

Belongs here: text of queries, made from a profile and the mart's types. Does not belong here: running them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from radar.core.spreadsheets import live_sql
from radar.exports.profiles import Column, Profile

PROBLEMS = {
    "formula": "a spreadsheet would run it as a formula, or an import would cut it",
    "number": "is not a number that can be written in full",
    "emptied": "a spreadsheet would run it as a formula, or an import would cut it: the cell is empty",
    "nul": "holds a NUL character",
    "empty": "is empty, and the destination requires it",
    "unknown": "is not among the values that the destination takes",
    "long": "is longer than the destination takes",
    "twice": "stands in another row too, and the destination tells rows apart by it",
}


def key_text(profile: Profile, mart: Mapping[str, str]) -> str:
    """The key as it is in the file."""
    return text(profile.columns[profile.key_number], profile, mart)


def label_text(profile: Profile, mart: Mapping[str, str]) -> str:
    """What a person calls the row."""
    return _plain(profile.label, profile, mart)


def cell(column: Column, profile: Profile, mart: Mapping[str, str]) -> str:
    """The SQL of a cell; never null. Empty text is written as none: a CRM would leave its own value."""
    if column.value is not None:
        return literal(column.value)
    written, null = text(column, profile, mart), literal(null_token(column, profile))
    live = _live(column, profile, mart)
    if live and may_be_empty(column, profile):
        written = f"case when not {live} then {written} end"
    return f"coalesce(nullif({written}, ''), {null})"


def cells(profile: Profile, mart: Mapping[str, str]) -> str:
    """The SQL of the list of all cells of a row."""
    return f"[{', '.join(cell(column, profile, mart) for column in profile.columns)}]"


def compared(profile: Profile) -> str:
    """The arguments of the hash that shows whether a row changed: headers and cells, of `cell_list`."""
    pairs = [
        f"{literal(column.header)}, cell_list[{number}]"
        for number, column in enumerate(profile.columns, start=1)
        if column.compared
    ]
    return ", ".join(pairs)


def removed_cells(profile: Profile, as_of: date, known_by: str) -> str:
    """The SQL of the cells, as JSON, for a row that left.

    `row_key` is in scope, and `known_by`, the cells by which the destination knows the row, as JSON.
    """
    tokens = profile.removed if isinstance(profile.removed, dict) else {}
    found = []
    for number, column in enumerate(profile.columns):
        null = literal(null_token(column, profile))
        if number == profile.key_number:
            found.append("row_key")
        elif column.header in tokens:
            found.append(literal(tokens[column.header]))
        elif column.value is not None:
            found.append(literal(column.value))
        elif column.source == "as_of_date":
            found.append(literal(as_of.strftime(profile.dialect.date_format)))
        elif column.identifies:
            found.append(f"coalesce(json_extract_string({known_by}, '$[{number}]'), {null})")
        else:
            found.append(null)
    return f"to_json([{', '.join(found)}])::varchar"


def problems(profile: Profile, mart: Mapping[str, str]) -> str:
    """The arguments that name what is wrong with a row's cells, as `<column number>:<code>` or null."""
    found = [
        _problem(number, column, profile, mart)
        for number, column in enumerate(profile.columns)
        if column.value is None
    ]
    return ", ".join(part for part in found if part) or "null"


def may_be_empty(column: Column, profile: Profile) -> bool:
    """Whether a row may go without this cell: the destination neither finds the row by it nor requires it."""
    is_free = column.values is None and column.allowed is None
    return is_free and not column.required and not column.identifies and column.source != profile.key


def emptied(profile: Profile, mart: Mapping[str, str]) -> str:
    """The SQL of the values of cells that stay empty so that the row can go: a JSON list, or empty text."""
    lives = [
        _live(column, profile, mart) if column.value is None and may_be_empty(column, profile) else None
        for column in profile.columns
    ]
    if not any(lives):
        return "''"
    texts = ", ".join(
        f"case when {live} then {text(column, profile, mart)} end" if live else "null"
        for live, column in zip(lives, profile.columns, strict=True)
    )
    return f"case when {' or '.join(filter(None, lives))} then to_json([{texts}])::varchar else '' end"


def _live(column: Column, profile: Profile, mart: Mapping[str, str]) -> str | None:
    """The SQL that tests whether a cell could be run as a formula; None for a column that holds no text."""
    name = column.source or profile.key
    kind = mart[name]
    if not kind.startswith(("VARCHAR", "ENUM")):
        return None
    return live_sql(f"array_to_string(\"{name}\", '')" if kind.endswith("[]") else f'"{name}"::varchar')


def repeated(profile: Profile) -> str:
    """The arguments that name cells by which the destination cannot distinguish rows; of `cell_list`."""
    found = [
        f"case when cell_list[{number + 1}] <> '' "
        f"and count(*) over (partition by lower(cell_list[{number + 1}])) > 1 then '{number}:twice' end"
        for number, column in enumerate(profile.columns)
        if column.identifies and number != profile.key_number
    ]
    return ", ".join(found) or "null"


def null_token(column: Column, profile: Profile) -> str:
    """The text of an empty cell of this column."""
    return profile.dialect.null_token if column.when_null is None else column.when_null


def literal(value: str) -> str:
    """Text as SQL."""
    return "'" + value.replace("'", "''") + "'"


def text(column: Column, profile: Profile, mart: Mapping[str, str]) -> str:
    """The SQL that writes a value of the mart as the destination reads it; null stays null."""
    name = column.source or profile.key
    if column.as_date:
        return f'strftime("{name}"::date, {literal(profile.dialect.date_format)})'
    plain = _plain(name, profile, mart)
    if column.values is None:
        return plain
    cases = " ".join(f"when {literal(ours)} then {literal(theirs)}" for ours, theirs in column.values.items())
    return f"case {plain} {cases} else {plain} end"


def _plain(name: str, profile: Profile, mart: Mapping[str, str]) -> str:
    dialect, kind, value = profile.dialect, mart[name], f'"{name}"'
    true, false = literal(dialect.true_token), literal(dialect.false_token)
    forms = {
        "BOOLEAN": f"case when {value} then {true} when not {value} then {false} end",
        "DATE": f"strftime({value}, {literal(dialect.date_format)})",
        "TIMESTAMP": f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')",
        "VARCHAR[]": f"array_to_string({value}, {literal(dialect.list_separator)})",
        "DECIMAL": _without_zeros(value),
        "DOUBLE": f"coalesce({_without_zeros(_decimal(value))}, {value}::varchar)",
        "FLOAT": f"coalesce({_without_zeros(_decimal(value))}, {value}::varchar)",
    }
    return forms.get(kind.split("(")[0], f"{value}::varchar")


def _decimal(value: str) -> str:
    """A double in plain digits; null for NaN, infinities, and what has more than 29 digits."""
    return f"try_cast({value} as decimal(38, 9))"


def _without_zeros(value: str) -> str:
    """80.500000 is 80.5, and 80.000000 is 80."""
    return f"regexp_replace({value}::varchar, '(\\.0+|(\\.[0-9]*[1-9])0+)$', '\\2')"


def _problem(number: int, column: Column, profile: Profile, mart: Mapping[str, str]) -> str | None:
    """The SQL that names what is wrong with a cell, or is null. Only numbers may begin with a sign."""
    name = column.source or profile.key
    kind, value = mart[name], f'"{name}"'
    wrong = []
    if kind in ("DOUBLE", "FLOAT"):
        wrong.append(("number", f"{value} is not null and {_decimal(value)} is null"))
    elif kind.startswith(("VARCHAR", "ENUM")):
        raw = f"array_to_string({value}, '')" if kind.endswith("[]") else f"{value}::varchar"
        if not may_be_empty(column, profile):
            wrong.append(("formula", live_sql(raw)))
        wrong.append(("nul", f"contains({raw}, chr(0))"))
    written = text(column, profile, mart)
    if column.required:
        wrong.append(("empty", f"coalesce({written}, '') = ''"))
    if column.values is not None:
        known = ", ".join(literal(ours) for ours in column.values)
        wrong.append(("unknown", f"{_plain(name, profile, mart)} not in ({known})"))
    elif column.allowed is not None:
        wrong.append(("unknown", f"{written} not in ({', '.join(map(literal, column.allowed))})"))
    if column.most_characters is not None:
        wrong.append(("long", f"length({written}) > {column.most_characters}"))
    if not wrong:
        return None
    tests = " ".join(f"when {test} then '{number}:{code}'" for code, test in wrong)
    return f"case {tests} end"
