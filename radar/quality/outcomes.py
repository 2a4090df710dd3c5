"""The outcome of a check, as text and in `audit.checks`."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from radar.quality.validate import Finding

_DONE = {
    "reject_row": "refused",
    "null_value": "the value is left out",
    "wait": "waiting",
    "tell": "reported only",
}


@dataclass(frozen=True)
class Outcome:
    """One check of one feed, as `audit.checks` records it. `error`: the check could not run."""

    feed: str
    check: str
    expectation_type: str
    severity: str
    success: bool
    error: str | None
    observed: str | None
    unexpected_count: int | None
    action: str
    message: str


@dataclass(frozen=True)
class Moment:
    """What every record of this run carries; `now` in UTC without an offset."""

    run_id: str
    batch_id: int
    now: datetime


# The columns of `audit.checks` that hold an Outcome, in its order.
_COLUMNS = ", ".join("check_name" if column.name == "check" else column.name for column in fields(Outcome))


def blocks_feed(finding: Finding) -> bool:
    """Whether the feed is blocked. One failing row is no share of anything: it goes by itself."""
    if finding.error:
        return True
    return finding.rule.severity == "critical" and not finding.success and finding.unexpected != 1


def outcome(finding: Finding, rows: int, examples: list[str], *, is_blocked: bool) -> Outcome:
    """The outcome of a finding in a batch of `rows` rows; `examples` are values that may be shown.

    Its severity is the rule's, but critical where the rule could not run, and a warning where a critical
    rule fails without blocking the feed.
    """
    rule = finding.rule
    severity: str = rule.severity
    if finding.error:
        severity = "critical"
    elif severity == "critical" and not finding.success and not blocks_feed(finding):
        severity = "warning"
    return Outcome(
        feed=rule.feed,
        check=rule.check,
        expectation_type=rule.expectation_type,
        severity=severity,
        success=finding.success,
        error=finding.error,
        observed=finding.observed,
        unexpected_count=finding.unexpected,
        action=rule.action,
        message=_message(finding, rows, examples, is_blocked=is_blocked),
    )


def share(finding: Finding, rows: int) -> str:
    """`3 of 1,000 rows`."""
    return f"{finding.unexpected:,} of {finding.total or rows:,} rows"


def record(con: duckdb.DuckDBPyConnection, outcomes: list[Outcome], moment: Moment) -> None:
    """Append them to `audit.checks`."""
    if not outcomes:
        return
    con.executemany(
        f"INSERT INTO audit.checks (run_id, batch_id, checked_at, {_COLUMNS}) "
        f"VALUES ({', '.join('?' * (3 + len(fields(Outcome))))})",
        [(moment.run_id, moment.batch_id, moment.now, *astuple(each)) for each in outcomes],
    )


def recorded(con: duckdb.DuckDBPyConnection, moment: Moment) -> list[Outcome]:
    """What this very run has found already, where it was broken off and is repeated."""
    found = con.execute(
        f"SELECT {_COLUMNS} FROM audit.checks WHERE run_id = ? AND batch_id = ? ORDER BY rowid",
        [moment.run_id, moment.batch_id],
    )
    return [Outcome(*row) for row in found.fetchall()]


def last_recorded(con: duckdb.DuckDBPyConnection) -> list[Outcome]:
    """What each check of each feed found when it looked last."""
    found = con.execute(
        f"""
        SELECT {_COLUMNS} FROM audit.checks
        QUALIFY batch_id = max(batch_id) OVER (PARTITION BY feed, check_name)
        ORDER BY rowid
        """
    )
    return [Outcome(*row) for row in found.fetchall()]


def _message(finding: Finding, rows: int, examples: list[str], *, is_blocked: bool) -> str:
    rule = finding.rule
    if finding.error:
        return f"could not run: {finding.error}"
    if finding.unexpected is None:
        found = f"found {finding.observed}"
        return found if finding.success else f"{found}, expected {finding.expected} ({rule.description})"
    if not finding.unexpected:
        return ""
    named = f"; found {', '.join(examples)}" if examples else ""
    done = "the feed is held back" if is_blocked and rule.action != "tell" else _DONE[rule.action]
    return f"{share(finding, rows)} not as expected ({rule.description}): {done}{named}"
