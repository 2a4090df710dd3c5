"""What follows from a feed's findings, in `raw`, `quarantine` and `audit`. All of it is SQL over named rows.

`hygiene.failing` has (number of the rule, identity of the row) for every row that breaks a rule,
`hygiene.refused` the rows that leave for good, each once however many rules it breaks, and
`hygiene.nearest_words` the known words that refused ones resemble. They are filled before the transaction
that writes to the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from radar.landing import statements
from radar.landing.feeds import ACCOUNTS, Feed, load_feeds
from radar.quality.batches import SCRATCH, Batch, one, sql
from radar.quality.columns import judge_columns
from radar.quality.gate import REMEDY, Limits, judge, record_fact_days, resolve_keys
from radar.quality.outcomes import Moment, Outcome, blocks_feed, outcome, record, share
from radar.quality.suites import Rule, rules
from radar.rules.vocabulary import nearest_word

if TYPE_CHECKING:
    from radar.quality.validate import Finding, Run

_RETURNED = 0  # the number of rows that had waited and came back; rules count from 1
_MOST_WORDS = 1_000  # strange words of a rule for which a known one is looked for


def act(
    con: duckdb.DuckDBPyConnection, batch: Batch, run: Run, moment: Moment, limits: Limits
) -> list[Outcome]:
    """Hold the feed back or deal with its failing rows, and record it: one transaction."""
    _empty_scratch(con)
    stops = [finding for finding in run.findings if blocks_feed(finding)]
    outcomes = [
        outcome(finding, batch.rows, _examples(con, run, finding), is_blocked=bool(stops))
        for finding in run.findings
    ]
    if stops:
        reason = "; ".join(_reason(con, batch, run, finding) for finding in stops)
        _empty_scratch(con)
        con.execute(sql("name_returned", table=batch.table), {"feed": batch.feed, "first_batch": batch.first})
        with transaction(con):
            _block(con, batch, reason, moment)
            outcomes += _judged(con, batch, moment, limits)
            record(con, outcomes, moment)
        return outcomes
    acting = [
        (number, finding.rule)
        for number, finding in enumerate(run.findings, start=_RETURNED + 1)
        if finding.unexpected and finding.rule.action != "tell"
    ]
    for number, rule in acting:
        run.name_rows(rule, f"{SCRATCH}.failing", number)
        _name_nearest(con, batch, number, rule)
    con.execute(sql("name_refused"), {"numbers": _numbers(acting, "reject_row")})
    with transaction(con):
        _apply(con, batch, acting, moment)
        outcomes += _judged(con, batch, moment, limits)
        record(con, outcomes, moment)
    return outcomes


def judge_without_rows(
    con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, moment: Moment, limits: Limits
) -> list[Outcome]:
    """The same for a feed without a new row: all was refused, or it is blocked since earlier."""
    with transaction(con):
        again = resolve_keys(con, feed, first_batch, limits)
        record_fact_days(con, feed, first_batch, moment)
        outcome_of_gate = judge(con, feed, first_batch, moment, limits, again)
        outcomes = [outcome_of_gate] if outcome_of_gate else []
        outcomes += judge_columns(con, feed, first_batch, moment)
        record(con, outcomes, moment)
    return outcomes


def _judged(con: duckdb.DuckDBPyConnection, batch: Batch, moment: Moment, limits: Limits) -> list[Outcome]:
    """Whether enough of the batch got through. Of accounts not even the rest is kept then."""
    feed = batch.contract
    again = resolve_keys(con, feed, batch.first, limits)
    judged = judge(con, feed, batch.first, moment, limits, again)
    if judged and not judged.success and feed.name == ACCOUNTS and _is_blocked(con, batch, moment):
        _remove_batch(con, batch, judged.message, moment)
    record_fact_days(con, feed, batch.first, moment)
    return [*([judged] if judged else []), *judge_columns(con, feed, batch.first, moment)]


def _is_blocked(con: duckdb.DuckDBPyConnection, batch: Batch, moment: Moment) -> bool:
    blocked = "SELECT count(*) FROM audit.feed_states WHERE feed = ? AND batch_id = ? AND state = 'held'"
    return bool(one(con, blocked, [batch.feed, moment.batch_id])[0])


def _empty_scratch(con: duckdb.DuckDBPyConnection) -> None:
    identity = "_source_file VARCHAR, _batch_id BIGINT, _row_number BIGINT"
    con.execute(f"CREATE OR REPLACE TABLE {SCRATCH}.failing (number INTEGER, {identity})")
    con.execute(f"CREATE OR REPLACE TABLE {SCRATCH}.refused ({identity}, number INTEGER, rules INTEGER)")
    con.execute(
        f"CREATE OR REPLACE TABLE {SCRATCH}.nearest_words (number INTEGER, value VARCHAR, word VARCHAR)"
    )


def _examples(con: duckdb.DuckDBPyConnection, run: Run, finding: Finding) -> list[str]:
    """Values that may be shown, each with the known word that it resembles."""
    rule = finding.rule
    if not finding.unexpected or not (rule.action == "tell" or rule.rule == "unknown_value"):
        return []
    known = _known_words(con, rule)
    return [
        f"{value} (nearest known: {word})" if (word := nearest_word(value, known)) else value
        for value in run.examples(rule)
    ]


def _known_words(con: duckdb.DuckDBPyConnection, rule: Rule) -> dict[str, str]:
    """Spelling -> word of what the rule's column may hold; none where it is not a list of words."""
    if rule.words:
        found = con.execute(f"SELECT * FROM {SCRATCH}.{rule.words}").fetchall()
        return {word: word for (word,) in found}
    words = dict.fromkeys(map(str, rule.kwargs.get("value_set", ())))
    spellings = [one.spellings for one in load_feeds()[rule.feed].columns if one.name == rule.column]
    others = {spelling: word for each in spellings for spelling, word in each.items() if word in words}
    return others | {word: word for word in words}


def _name_nearest(con: duckdb.DuckDBPyConnection, batch: Batch, number: int, rule: Rule) -> None:
    """Fill `hygiene.nearest_words` for the commonest values that break the rule."""
    if rule.rule != "unknown_value":
        return
    known = _known_words(con, rule)
    values = con.execute(
        sql("strange_words", table=batch.table, column=rule.column), {"number": number, "most": _MOST_WORDS}
    ).fetchall()
    nearest = [(number, value, word) for (value,) in values if (word := nearest_word(value, known))]
    if nearest:
        con.executemany(f"INSERT INTO {SCRATCH}.nearest_words VALUES (?, ?, ?)", nearest)


def _reason(con: duckdb.DuckDBPyConnection, batch: Batch, run: Run, finding: Finding) -> str:
    """Why the feed is blocked, with the first row that shows it."""
    rule = finding.rule
    if finding.error:
        return f"the check {rule.check} could not run ({finding.error})"
    reason = f"{share(finding, batch.rows)} fail the check {rule.check} ({rule.description})"
    if not finding.unexpected:
        return reason
    _empty_scratch(con)
    run.name_rows(rule, f"{SCRATCH}.failing", 1, first_only=True)
    file, row = one(con, f"SELECT _source_file, _row_number FROM {SCRATCH}.failing")
    return f"{reason}, the first in {file} row {row}" + (f" column {rule.column}" if rule.column else "")


def _numbers(acting: list[tuple[int, Rule]], *actions: str) -> list[int]:
    return [number for number, rule in acting if rule.action in actions]


def _apply(
    con: duckdb.DuckDBPyConnection, batch: Batch, acting: list[tuple[int, Rule]], moment: Moment
) -> None:
    """Record every failing row, then empty values, copy out what waits, and take away what leaves."""
    for number, rule in acting:
        _record_failing(con, batch, number, rule, moment)
    for number, rule in acting:
        if rule.action == "null_value":
            con.execute(sql("empty_values", table=batch.table, column=rule.column), {"number": number})
    waiting, leaving = _numbers(acting, "wait"), _numbers(acting, "reject_row", "wait")
    con.execute(sql("count_taken"), {**_batches(batch), "leaving": leaving})
    if _numbers(acting, "reject_row"):
        _record_refused_keys(con, batch, "refused", moment)
    if waiting:
        con.execute(sql("copy_waiting", table=batch.table), {"numbers": waiting})
    if leaving:
        con.execute(sql("remove_failing", table=batch.table), {"numbers": leaving})


def _record_failing(
    con: duckdb.DuckDBPyConnection, batch: Batch, number: int, rule: Rule, moment: Moment
) -> None:
    target = "rejected_values" if rule.action == "null_value" else "rejected_rows"
    con.execute(
        sql(
            "record_failing",
            target=target,
            column=rule.column,
            table=batch.table,
            key=statements.entity_key(batch.contract, "new_rows"),
        ),
        {
            "feed": batch.feed,
            "rule": rule.rule,
            "column": rule.column,
            "message": f"expected: {rule.description}",
            "now": moment.now,
            "number": number,
            "is_refusal": rule.action == "reject_row",
        },
    )


def _batches(batch: Batch) -> dict[str, Any]:
    return {"feed": batch.feed, "first_batch": batch.first, "last_batch": batch.last}


def _record_refused_keys(con: duckdb.DuckDBPyConnection, batch: Batch, refused: str, moment: Moment) -> None:
    """Keep the keys of the batch's rows that are in the scratch table or view `refused`."""
    feed = batch.contract
    names = {
        "account": statements.account_of(feed),
        "key": statements.entity_key(feed),
        "fact_time": statements.fact_time(feed),
    }
    con.execute(
        sql("record_refused_keys", table=batch.table, refused=refused, **names),
        {"feed": batch.feed, "now": moment.now},
    )


def _block(con: duckdb.DuckDBPyConnection, batch: Batch, reason: str, moment: Moment) -> None:
    """Take the batch out of `raw`: one line per file. Rows that had waited for their account wait on."""
    if one(con, f"SELECT count(*) FROM {SCRATCH}.failing")[0]:
        waits = next(rule for rule in rules()[batch.feed] if rule.action == "wait")
        _record_failing(con, batch, _RETURNED, waits, moment)
        con.execute(sql("copy_waiting", table=batch.table), {"numbers": [_RETURNED]})
        con.execute(sql("remove_failing", table=batch.table), {"numbers": [_RETURNED]})
    _remove_batch(con, batch, f"{reason}. What to do: {REMEDY}", moment)
    con.execute(
        "INSERT INTO audit.feed_states (run_id, batch_id, feed, state, reason, recorded_at) "
        "VALUES (?, ?, ?, 'held', ?, ?)",
        [moment.run_id, moment.batch_id, batch.feed, reason, moment.now],
    )


def _remove_batch(con: duckdb.DuckDBPyConnection, batch: Batch, reason: str, moment: Moment) -> None:
    con.execute("DELETE FROM control.repeated_keys WHERE feed = ?", [batch.feed])
    if not batch.contract.lands_every_row:
        _record_refused_keys(con, batch, batch.table, moment)
    con.execute(
        sql("record_blocked_files", table=batch.table),
        {"feed": batch.feed, "message": f"the feed was held back: {reason}", "now": moment.now},
    )
    con.execute(sql("count_blocked"), _batches(batch))
    con.execute(f"DELETE FROM raw.{batch.table} WHERE _batch_id BETWEEN ? AND ?", [batch.first, batch.last])


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done inside, or none of it."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()
