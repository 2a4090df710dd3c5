"""In which notation a column of a file writes its numbers or dates, where Radar's own is not it.

One value never decides that: `1,234` is a thousand to some and little more than one to others, `03/04/2026`
is in March or in April. So a column is read in another notation only where all of its values fit that one
and no other; a date order may also be set for a feed (`date_order` in seeds/feeds.csv). What fits several is
refused with what it would mean in each. Times may also be counts, of seconds since 1970 or of days as Excel
has them. SQL over text; whether a value is sound is decided in `casts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

DAY_FIRST, MONTH_FIRST = "day_first", "month_first"
DATE_ORDERS = (DAY_FIRST, MONTH_FIRST)
COMMA, COMMA_GROUPED, POINT_GROUPED = "comma", "comma_grouped", "point_grouped"
SECONDS, MILLISECONDS, MICROSECONDS, EXCEL_DAYS = "seconds", "milliseconds", "microseconds", "excel_days"
AMBIGUOUS_DATE, AMBIGUOUS_NUMBER = "ambiguous_date", "ambiguous_number"

_SIGN = "[+-]?"
# A writer that groups thousands does so in every number that has some.
_NUMBERS = {
    COMMA: f"{_SIGN}[0-9]+(,[0-9]+)?",
    COMMA_GROUPED: rf"{_SIGN}[0-9]{{1,3}}([.][0-9]{{3}})*(,[0-9]+)?",
    POINT_GROUPED: rf"{_SIGN}[0-9]{{1,3}}(,[0-9]{{3}})*([.][0-9]+)?",
}
_TIME = r"(?:[ T,]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.][0-9]+)?)?(?: ?[AaPp][Mm])?)?"
_DATE = rf"([0-9]{{1,2}})([./-])([0-9]{{1,2}})[./-]([0-9]{{4}})({_TIME})"
# Since 1970, of times from 2001 to 2096; days of Excel's calendar, from 1927 to 2091.
_COUNTS = {
    SECONDS: r"[1-3][0-9]{9}([.][0-9]+)?",
    MILLISECONDS: r"[1-3][0-9]{12}([.][0-9]+)?",
    MICROSECONDS: r"[1-3][0-9]{15}",
    EXCEL_DAYS: r"[1-6][0-9]{4}([.][0-9]+)?",
}


def evidence(column_type: str, text: str) -> list[str]:
    """Aggregates over a column's text that `chosen` decides by."""
    if column_type in ("timestamp", "date"):
        first, second = _part(text, 1), _part(text, 3)
        return [
            f"bool_and(regexp_full_match({text}, '{_DATE}'))",
            f"bool_or(try_cast({first} as integer) > 12)",
            f"bool_or(try_cast({second} as integer) > 12)",
            *(f"bool_and(regexp_full_match({text}, '{pattern}'))" for pattern in _COUNTS.values()),
        ]
    return [f"bool_and(regexp_full_match({text}, '{pattern}'))" for pattern in _NUMBERS.values()]


def chosen(column_type: str, found: Iterable[bool | None], date_order: str | None) -> str | None:
    """The notation that the evidence proves or the feed sets; an ambiguous one; None for none of these."""
    if column_type in ("timestamp", "date"):
        are_dates, is_day_first, is_month_first, *are_counts = found
        counts = [name for name, fits in zip(_COUNTS, are_counts, strict=True) if fits]
        if counts:
            return counts[0]
        if not are_dates or (is_day_first and is_month_first):
            return None
        if is_day_first or is_month_first:
            return DAY_FIRST if is_day_first else MONTH_FIRST
        return date_order or AMBIGUOUS_DATE
    fitting = [name for name, fits in zip(_NUMBERS, found, strict=True) if fits]
    if COMMA in fitting and COMMA_GROUPED in fitting:  # without a point in any value both read the same
        fitting.remove(COMMA_GROUPED)
    return fitting[0] if len(fitting) == 1 else AMBIGUOUS_NUMBER if fitting else None


def rewritten(notation: str | None, text: str) -> str:
    """The text in Radar's own notation, ISO 8601 or a plain number; as it is where none is known."""
    rewrite = _REWRITES.get(notation or "")
    return rewrite(text) if rewrite else text


def readings(notation: str | None, text: str) -> str | None:
    """The end of a message: what a value of an ambiguous column may mean."""
    if notation == AMBIGUOUS_DATE:
        return (
            f"'; it may be ' || coalesce({_date_only(DAY_FIRST, text)}, '?') || ' (day first) or ' ||"
            f" coalesce({_date_only(MONTH_FIRST, text)}, '?') || ' (month first), and no value of the column"
            " proves which: write ISO 8601, or set date_order of the feed in seeds/feeds.csv'"
        )
    if notation == AMBIGUOUS_NUMBER:
        return (
            f"'; it may be ' || {rewritten(COMMA, text)} || ' (a comma before the decimals) or ' ||"
            f" {rewritten(POINT_GROUPED, text)} || ' (commas between thousands), and no value of the column"
            " proves which: write a point before the decimals and no group separators'"
        )
    return None


def _part(text: str, group: int) -> str:
    return f"regexp_extract({text}, '^{_DATE}$', {group})"


def _iso(order: str, text: str) -> str:
    return (
        f"case when regexp_full_match({text}, '{_DATE}') then {_date(order, text)} || coalesce(' ' ||"
        f" {_clock(text)}, '') else {text} end"
    )


def _date(order: str, text: str) -> str:
    day, month = (1, 3) if order == DAY_FIRST else (3, 1)
    padded = [f"lpad({_part(text, part)}, 2, '0')" for part in (month, day)]
    return " || '-' || ".join((_part(text, 4), *padded))


def _date_only(order: str, text: str) -> str:
    return f"cast(try_cast({_date(order, text)} as date) as varchar)"


def _clock(text: str) -> str:
    """The time of day with two digits for the hour, from 0 to 23; null where there is none."""
    part = f"trim({_part(text, 5)}, ' T,')"
    clock = f"regexp_replace({part}, ' ?[AaPp][Mm]$', '')"
    hour = f"try_cast(split_part({clock}, ':', 1) as integer)"
    half = f"case when regexp_matches({part}, '[Pp][Mm]$') then 12 else 0 end"
    of_twelve = f"case when regexp_matches({part}, '[AaPp][Mm]$') then {hour} % 12 + {half} else {hour} end"
    return (
        f"case when {part} <> '' then lpad(cast({of_twelve} as varchar), 2, '0')"
        f" || substr({clock}, strpos({clock}, ':')) end"
    )


def _since_1970(units: int) -> Callable[[str], str]:
    """A count of units as a time; `units` are in a second."""
    microseconds = f"as decimal(30, 6)) * {1_000_000 // units}"
    return lambda text: f"cast(make_timestamp(cast(try_cast({text} {microseconds} as bigint)) as varchar)"


def _of_excel(text: str) -> str:
    """Days since the end of 1899 as a time, to the second; 1900 had a 29 February there."""
    seconds = f"cast(round(try_cast({text} as decimal(30, 12)) * 86400) as bigint)"
    return f"cast(timestamp '1899-12-30' + to_seconds({seconds}) as varchar)"


_REWRITES: dict[str, Callable[[str], str]] = {
    DAY_FIRST: lambda text: _iso(DAY_FIRST, text),
    MONTH_FIRST: lambda text: _iso(MONTH_FIRST, text),
    COMMA: lambda text: f"replace({text}, ',', '.')",
    COMMA_GROUPED: lambda text: f"replace(replace({text}, '.', ''), ',', '.')",
    POINT_GROUPED: lambda text: f"replace({text}, ',', '')",
    SECONDS: _since_1970(1),
    MILLISECONDS: _since_1970(1_000),
    MICROSECONDS: _since_1970(1_000_000),
    EXCEL_DAYS: _of_excel,
}
