"""Whether enough of a feed got through: rows that were refused or that wait are not rows that never were.

All that keeps a row out counts, wherever it happened: refused as it landed, refused by a check, waiting for
its account, in a file that could not be read. Where it is more than `blocked_share_pct` of the feed's new
rows the feed is blocked, and stays so until that share is undercut: because rows that waited have landed, or
because later batches brought as many good rows as had been refused. One lost row alone blocks no feed that
has others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from radar.landing import statements
from radar.landing.feeds import ACCOUNTS, Feed
from radar.quality.batches import one, setting, sql
from radar.quality.outcomes import Moment, Outcome

CHECK = "rows_get_through"
DESCRIPTION = (
    "enough of the new rows got through: neither refused, nor waiting for their account, nor in a file that "
    "could not be read (blocked_share_pct and refused_share_pct in seeds/settings.csv)"
)
REMEDY = (
    "correct the file and put it in place again: it lands when its content has changed, "
    "or as it is under another name"
)
REMEDY_WAITING = (
    "deliver these accounts in crm/accounts, or say in crm/identities which accounts these ids are: "
    "the rows then land by themselves"
)
# Where a refused row was delivered last.
_CAME_LAST = (
    "coalesce(refused.came_last, {'batch_id': refused.batch_id, 'source_file': refused.source_file, "
    "'row_number': refused.row_number})"
)
_LEAST_ROWS = 2  # one row is no share of anything


@dataclass(frozen=True)
class Limits:
    """Shares of new rows in percent: above `blocked` a feed is blocked, from `refused` on the check fails."""

    blocked: int
    refused: int

    @classmethod
    def read(cls, seeds: Path) -> Limits:
        """Those of `settings.csv`."""
        return cls(setting(seeds, "blocked_share_pct"), setting(seeds, "refused_share_pct"))


@dataclass(frozen=True)
class _Share:
    """What of the feed's new rows did not get through. `missing`: refused rows that nothing made up for."""

    passed: int
    missing: int
    waiting: int
    refused_at_landing: int
    new_rows: int
    after_batch: int
    unreadable: str | None

    @property
    def lost(self) -> int:
        return self.missing + self.waiting

    @property
    def rows(self) -> int:
        return self.passed + self.lost

    def exceeds(self, limit: int) -> bool:
        return 100 * self.lost > limit * self.rows


def judge(  # noqa: PLR0917 the record of one decision
    con: duckdb.DuckDBPyConnection,
    feed: Feed,
    first_batch: int,
    moment: Moment,
    limits: Limits,
    refused_again: int,
) -> Outcome | None:
    """Record whether the feed is blocked; None where nothing has arrived for it and it is not.

    Opens no transaction. The state is written to `audit.feed_states`; a feed that a check has blocked in
    this run stays blocked. `refused_again`: rows that came as they had been refused before.
    """
    of_run = {"feed": feed.name, "batch_id": moment.batch_id}
    is_blocked_before, missing_before = con.execute(sql("gate_before"), of_run).fetchone() or (False, 0)
    missing_before = max(0, missing_before - refused_again) if is_blocked_before else 0
    share, has_arrived = _measure(con, feed, first_batch, moment, missing_before)
    if not has_arrived and (not is_blocked_before or feed.name == ACCOUNTS):
        return None
    blocked = con.execute(
        "SELECT reason FROM audit.feed_states "
        "WHERE feed = $feed AND batch_id = $batch_id AND run_id = $run_id AND state = 'held'",
        {**of_run, "run_id": moment.run_id},
    ).fetchone()
    is_blocked = blocked is not None or _blocks(con, feed, share, limits)
    reason = blocked[0] if blocked else _reason(con, feed, share, moment, limits) if share.lost else None
    con.execute(
        "DELETE FROM audit.feed_states WHERE feed = $feed AND batch_id = $batch_id AND run_id = $run_id",
        {**of_run, "run_id": moment.run_id},
    )
    con.execute(
        "INSERT INTO audit.feed_states (run_id, batch_id, feed, state, reason, recorded_at, rows_missing) "
        "VALUES ($run_id, $batch_id, $feed, $state, $reason, $now, $missing)",
        {
            **of_run,
            "run_id": moment.run_id,
            "state": "held" if is_blocked else "ok",
            "reason": reason if is_blocked else None,
            "now": moment.now,
            "missing": share.missing if is_blocked else 0,
        },
    )
    is_much_refused = (
        share.refused_at_landing >= _LEAST_ROWS
        and 100 * share.refused_at_landing >= limits.refused * share.new_rows
    )
    return Outcome(
        feed=feed.name,
        check=CHECK,
        expectation_type=CHECK,
        severity="critical" if is_blocked or is_much_refused else "info",
        success=not (is_blocked or is_much_refused),
        error=None,
        observed=f"{share.rows - share.lost:,} of {share.rows:,} rows",
        unexpected_count=share.lost,
        action="tell",
        message=reason or "",
    )


def resolve_keys(con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, limits: Limits) -> int:
    """See which refused rows of the feed later rows have made up for; how many came again as they were."""
    open_keys = "SELECT count(*) FROM quarantine.refused_keys WHERE feed = ? AND superseded_at IS NULL"
    again = _resolve_open_keys(con, feed, first_batch, limits) if one(con, open_keys, [feed.name])[0] else 0
    con.execute("DELETE FROM control.repeated_keys WHERE feed = ?", [feed.name])
    return again


def _resolve_open_keys(con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, limits: Limits) -> int:
    values: dict[str, Any] = {"feed": feed.name}
    names = {"table": _table(feed), "landed_key": statements.entity_key(feed, "landed")}
    con.execute(sql("note_repeated_keys"), {**values, "first_batch": first_batch})
    again = int(one(con, sql("forget_repeated_keys"), {**values, "first_batch": first_batch})[0])
    account = statements.account_of(feed)
    con.execute(
        sql("complete_refused_keys", account=account.replace("account_id", "landed.account_id"), **names),
        values,
    )
    if not feed.has_versions:
        con.execute(
            sql("supersede_facts", came_last=_CAME_LAST, **names),
            {**values, "blocked_share_pct": limits.blocked},
        )
        return again
    if "account_id" in feed.column_names:
        con.execute(sql("supersede_unnamed", table=_table(feed)), values)
    at_once = "min(coalesce(refused.fact_at, refused.rejected_at))"
    in_turn = f"coalesce(min(landed.updated_at) FILTER (WHERE refused.fact_at IS NOT NULL), {at_once})"
    con.execute(
        sql(
            "supersede_versions",
            table=_table(feed),
            key=statements.entity_key(feed),
            superseded_at=in_turn if feed.is_read_as_of else at_once,
            came_last=_CAME_LAST,
        ),
        values,
    )
    return again


def record_fact_days(con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, moment: Moment) -> None:
    """Note on which days the feed's new facts happened, by its own times."""
    if feed.event_times:
        facts = " union all ".join(
            f"select {column} as fact_at, _batch_id from raw.{_table(feed)}" for column in feed.event_times
        )
        con.execute(
            sql("record_fact_days", facts=facts),
            {"feed": feed.name, "first_batch": first_batch, "batch_id": moment.batch_id},
        )


def _table(feed: Feed) -> str:
    return feed.name.replace("/", "_")


def _measure(
    con: duckdb.DuckDBPyConnection, feed: Feed, first_batch: int, moment: Moment, missing_before: int
) -> tuple[_Share, bool]:
    """The share, and whether anything has arrived. Rows that landed make up for refused ones, one for one."""
    after, passed_now, at_landing, by_checks, waiting_now, passed_or_waited, files, _, unreadable = one(
        con,
        sql("gate_counts"),
        {"feed": feed.name, "first_batch": first_batch, "batch_id": moment.batch_id},
    )
    waiting = 0
    if feed.waiting_table:
        waiting = one(con, f"SELECT count(*) FROM {feed.waiting_table} WHERE _batch_id > ?", [after])[0]
    share = _Share(
        passed=max(0, passed_or_waited - waiting),
        missing=max(0, missing_before - passed_now) + at_landing + by_checks,
        waiting=waiting,
        refused_at_landing=at_landing,
        new_rows=passed_now + at_landing + by_checks + waiting_now,
        after_batch=after,
        unreadable=unreadable,
    )
    return share, bool(files or waiting_now)


def _blocks(con: duckdb.DuckDBPyConnection, feed: Feed, share: _Share, limits: Limits) -> bool:
    if not share.exceeds(limits.blocked):
        return False
    if share.lost >= _LEAST_ROWS:
        return True
    return not share.passed and not one(con, f"SELECT count(*) FROM {feed.raw_table}")[0]


def _reason(con: duckdb.DuckDBPyConnection, feed: Feed, share: _Share, moment: Moment, limits: Limits) -> str:
    """How many, and why: column, example (ids of accounts as they are, values masked), first row."""
    values = {"feed": feed.name, "after": share.after_batch, "batch_id": moment.batch_id}
    causes, remedies = [], []
    if share.waiting and feed.waiting_table:
        waiting, ids, example, file, row = one(
            con, sql("gate_waiting", table=_table(feed)), {"after": share.after_batch}
        )
        causes.append(
            f"{waiting:,} {'waits' if waiting == 1 else 'wait'} for {ids:,} "
            f"{'account that has' if ids == 1 else 'accounts that have'} not arrived, such as {example} "
            f"(column account_id, the first in {file} row {row})"
        )
        remedies.append(REMEDY_WAITING)
    for column, rule, rows, example, file, row in con.execute(sql("gate_refused"), values).fetchall():
        of_column = f" in column {column}" if column else ""
        such = f"such as {example}, " if example else ""
        causes.append(f"{rows:,} refused for {rule}{of_column} ({such}the first in {file} row {row})")
    causes += [reason for (reason,) in con.execute(sql("gate_blocked"), values).fetchall()]
    if share.unreadable:
        causes.append(share.unreadable.split("\n")[0])
    if share.missing:
        remedies.append(REMEDY)
    pct = 100 * share.lost / share.rows
    return (
        f"{share.lost:,} of {share.rows:,} new rows did not get through ({pct:.0f} %, the limit is "
        f"{limits.blocked} %): {'; '.join(causes)}. What to do: {'; or '.join(remedies)}"
    )
