"""The base suite of a feed: what follows from its contract, in Great Expectations' own schema.

Belongs here: what every feed is checked for because of its key, types, words, bounds and times. What speaks
of several columns, of other feeds or of reference data is written in `<source>_<feed>.yml`. What a bad value
costs is the contract's word (`Column.refuses_row`), so nothing here decides about rows.
"""

from __future__ import annotations

from typing import Any

from radar.landing.feeds import ALLOWED, REFUSED, TIMES, Column, Feed

Entry = dict[str, Any]

IDENTITIES = "crm/identities"
LEADS_ELSEWHERE = " where not contains(new_rows.account_id, '@') and not contains(new_rows.account_id, '.')"
"""An identity that leads to an address or a domain waits for nobody: some account may have it one day."""

LEAST_PASSING = 0.8
"""The share of rows that must pass a check which refuses rows; below it the check blocks the feed."""
_EMAIL = r"""^[^@\s<>",;]+@[\p{L}\p{N}-]+([.][\p{L}\p{N}-]+)+$"""


def base_suite(feed: Feed) -> tuple[list[Entry], list[Entry]]:
    """What is expected of keys and values, and then of times, volume and the key's uniqueness in the source.

    Expectations of one's own come between the two, and a row is recorded under the first that refuses it.
    """
    columns = feed.columns
    first = [_present(column) for column in columns if column.name in feed.key]
    first += _unique(feed)
    if feed.waiting_table:
        accounts = [column for column in columns if column.name == "account_id"]
        first += [_present(column) for column in accounts if column.name not in feed.key]
        first.append(_resolves(feed))
    first += [_in_set(column) for column in columns if column.type == "enum"]
    first += [_in_range(column) for column in columns if (column.minimum, column.maximum) != (None, None)]
    first += [_email(column) for column in columns if column.format == "email"]
    last = [_past(column) for column in columns if column.type in TIMES and column.future != ALLOWED]
    return first, [*last, *_fresh(feed), _volume(), *_key_conflicts(feed)]


def _judged(column: Column, kind: str, check: str, description: str, rule: str, **kwargs: Any) -> Entry:
    """An expectation about one column, with what a value costs that does not meet it."""
    refuses_row = column.refuses_row
    return {
        "type": kind,
        "description": f"{column.name} {description}",
        "kwargs": {"column": column.name, **kwargs, **({"mostly": LEAST_PASSING} if refuses_row else {})},
        "severity": "critical" if refuses_row else "warning",
        "meta": {
            "check": f"{column.name}_{check}",
            "action": "reject_row" if refuses_row else "null_value",
            "rule": rule,
        },
    }


def _reported(kind: str, check: str, description: str, severity: str, **kwargs: Any) -> Entry:
    """An expectation that changes no row."""
    return {
        "type": kind,
        "description": description,
        "kwargs": kwargs,
        "severity": severity,
        "meta": {"check": check, "action": "tell"},
    }


def _present(column: Column) -> Entry:
    kind = "expect_column_values_to_not_be_null"
    return _judged(column, kind, "present", "is present", "missing_required")


def _unique(feed: Feed) -> list[Entry]:
    """Not where the installation may name another key: the roll-up then distinguishes the rows."""
    if feed.key_choices:
        return []
    if len(feed.key) == 1:
        column = feed.key[0]
        kind, description = "expect_column_values_to_be_unique", f"{column} stands once in the batch"
        return [_reported(kind, f"{column}_unique", description, "info", column=column)]
    return [
        _reported(
            "expect_compound_columns_to_be_unique",
            "version_unique" if feed.has_versions else "identity_unique",
            f"{_listed(feed.key)} stand together once in the batch",
            "info",
            column_list=list(feed.key),
        )
    ]


def _resolves(feed: Feed) -> Entry:
    return {
        "type": "unexpected_rows_expectation",
        "description": "account_id is an account that has arrived; until then the row waits and lands by"
        " itself",
        "kwargs": {
            "unexpected_rows_query": "select new_rows.* from {batch} as new_rows"
            f" anti join hygiene.accounts_{feed.source} as accounts"
            " on new_rows.account_id = accounts.account_id"
            + (LEADS_ELSEWHERE if feed.name == IDENTITIES else "")
        },
        "severity": "warning",
        "meta": {
            "check": "account_id_resolves",
            "action": "wait",
            "rule": "unresolved_account",
            "column": "account_id",
        },
    }


def _in_set(column: Column) -> Entry:
    kind, description = "expect_column_values_to_be_in_set", f"is one of {', '.join(column.words)}"
    return _judged(column, kind, "known", description, "unknown_value", value_set=list(column.words))


def _in_range(column: Column) -> Entry:
    least, most = column.minimum, column.maximum
    bounds = {name: bound for name, bound in (("min_value", least), ("max_value", most)) if bound is not None}
    if most is None:
        check, description = "in_range", f"is at least {least}"
    elif least is None:
        check, description = "in_range", f"is at most {most}"
    else:
        check, description = "in_range", f"is between {least} and {most}"
    if bounds == {"min_value": 0}:
        check, description = "not_negative", "is not negative"
    kind = "expect_column_values_to_be_between"
    return _judged(column, kind, check, description, "out_of_range", **bounds)


def _email(column: Column) -> Entry:
    kind = "expect_column_values_to_match_regex"
    return _judged(column, kind, "form", "has the form of an address", "bad_email", regex=_EMAIL)


def _past(column: Column) -> Entry:
    kind, description = "expect_column_values_to_be_between", "is at most a day after the file landed"
    latest = {"max_value": {"$PARAMETER": "latest_time"}}
    if column.future == REFUSED:
        return _judged(column, kind, "not_in_future", description, "time_in_future", **latest)
    check = f"{column.name}_not_in_future"
    return _reported(kind, check, f"{column.name} {description}", "warning", column=column.name, **latest)


def _fresh(feed: Feed) -> list[Entry]:
    """Of feeds whose facts keep coming; where seeds/feeds.csv has no max_age_days it always passes."""
    if not feed.event_times:
        return []
    newest = feed.event_times[0]
    return [
        _reported(
            "expect_column_max_to_be_between",
            "fresh",
            f"the newest {newest} is within max_age_days (seeds/feeds.csv) of the as-of date",
            "warning",
            column=newest,
            min_value={"$PARAMETER": "fresh_after"},
        )
    ]


def _volume() -> Entry:
    return _reported(
        "expect_table_row_count_to_be_between",
        "volume",
        "the batch has between half and five times the rows of the usual one, once three have landed",
        "warning",
        min_value={"$PARAMETER": "least_rows"},
        max_value={"$PARAMETER": "most_rows"},
    )


def _key_conflicts(feed: Feed) -> list[Entry]:
    """That a key identifies one thing: each row where it does not, and how many of them block the feed."""
    if not feed.constant_per_key:
        return []
    key = feed.key[0]
    a_key = f"{'an' if key[0] in 'aeiou' else 'a'} {key}"
    things = [name.removesuffix("_id") for name in feed.constant_per_key]
    each = " and ".join(f"one {thing}" for thing in things)
    any_of, or_key = " or ".join(things), ""
    remedy = "send ids that are unique, and format columns of ids as text"
    if feed.key_choices:
        each += ", and one key of seeds/feeds.csv one time too"
        any_of, or_key = f"{', '.join(things)} or time", ", or a key of seeds/feeds.csv,"
        remedy = (
            "send ids that are unique and format columns of ids as text, or name the columns that are unique"
            " together in the column key of seeds/feeds.csv, such as account_id user_id event_id, and put the"
            " files in place again under other names"
        )
    conflicts = f"hygiene.{feed.source}_{feed.feed}_key_conflicts"
    rows = (
        f"select new_rows.* from {{batch}} as new_rows semi join {conflicts} as conflicts"
        " on new_rows._source_file = conflicts._source_file and new_rows._batch_id = conflicts._batch_id"
        " and new_rows._row_number = conflicts._row_number"
    )
    are_many = (
        f" where (select count(*) from {conflicts}) >"
        " ( select settings.value / 100.0 * (select count(*) from {batch})"
        " from hygiene.reference_settings as settings where settings.setting = 'key_conflict_pct')"
    )
    found = [
        _reported(
            "unexpected_rows_expectation",
            "key_conflicts",
            f"one {key} names {each}; where it names more, the ids are not unique in the source",
            "warning",
            unexpected_rows_query=rows,
        ),
        _reported(
            "unexpected_rows_expectation",
            "key_conflicts_in_bounds",
            f"at most key_conflict_pct (seeds/settings.csv) of the rows have {a_key}{or_key} that names"
            f" more than one {any_of}; {remedy}",
            "critical",
            unexpected_rows_query=rows + are_many,
        ),
    ]
    for entry in found:
        entry["meta"]["column"] = key
    return found


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
