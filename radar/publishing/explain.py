"""Why an account has its score, in lines that a rep understands. Reads the ledger; computes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from radar.core.errors import UsageError, WarehouseError
from radar.core.plural import counted, plural
from radar.core.terminal import inert_value

_ACTIONS = """
    select action_id, play, channel, status, suppressed_by, mode_reason, due_at
    from marts.fct_actions
    where account_id = $account_id and as_of_date = $day and status in ('ready', 'to_approve', 'suppressed')
    order by priority
"""
_CHANGE = """
    select compared_with, change, behaviour, new_data, late_data, rule_change, coverage, reasons
    from marts.fct_score_changes
    where account_id = $account_id and as_of_date = $day
"""
_FOLDED = "lower(strip_accents(trim(regexp_replace({text}, '\\s+', ' ', 'g'))))"
_NAMED = f"""
    select distinct account_id, max_by(name, valid_from_date) as name
    from intermediate.int_account_versions
    where
        account_id in (
            select account_id from intermediate.int_account_versions
            where {_FOLDED.format(text="name")} = {_FOLDED.format(text="$asked")}
        )
        or lower(account_id) = lower(trim($asked))
    group by account_id
    order by account_id
"""
_NEAR = f"""
    with accounts as (
        select account_id, max_by(name, valid_from_date) as name
        from intermediate.int_account_versions
        group by account_id
    ),
    likenesses as (
        select
            *,
            greatest(
                jaro_winkler_similarity(lower(account_id), lower(trim($asked))),
                jaro_winkler_similarity(
                    {_FOLDED.format(text="name")}, {_FOLDED.format(text="$asked")}
                ),
                case when contains({_FOLDED.format(text="name")}, {_FOLDED.format(text="$asked")}) then 1 end
            ) as likeness
        from accounts
    )
    select account_id, name from likenesses
    where likeness >= $least
    order by likeness desc, account_id
    limit $most
"""
LEAST_LIKENESS, MOST_SUGGESTIONS = 0.85, 5
"""From which likeness on (0 to 1, Jaro and Winkler's) an id or a name is suggested, and how many at most."""

MOST_LISTED = 20

BUCKETS = {"healthy": "healthy", "watch": "watch", "at_risk": "at risk"}


@dataclass(frozen=True)
class Line:
    """One rule that fired or could not be evaluated: the points it added, and the least and most it could."""

    rule_id: str
    result: str
    points: float
    points_low: float
    points_high: float
    signal: str
    observed_value: float | None
    threshold: float | None
    evidence: str


@dataclass(frozen=True)
class Action:
    """A play whose episode goes on: ready, to_approve or suppressed, and by what. `due_at` is UTC."""

    action_id: str
    play: str
    channel: str
    status: str
    suppressed_by: str | None
    mode_reason: str | None
    due_at: datetime | None

    def text(self) -> str:
        """In a few words."""
        if self.status == "suppressed":
            return f"{self.play} suppressed by {(self.suppressed_by or '').replace('_', ' ')}"
        by = f" by {self.due_at:%Y-%m-%d %H:%M}" if self.due_at else ""
        return f"{self.play} {self.status.replace('_', ' ')}{by}"


@dataclass(frozen=True)
class Change:
    """How the score differs from that of the scored date before, in points; the five parts add up to it."""

    compared_with: date
    change: float
    behaviour: float
    new_data: float
    late_data: float
    rule_change: float
    coverage: float
    reasons: str | None

    def text(self) -> str:
        """In one line."""
        parts = {
            "behaviour": self.behaviour,
            "new data": self.new_data,
            "late data": self.late_data,
            "rule change": self.rule_change,
            "coverage": self.coverage,
        }
        listed = ", ".join(f"{name} {_signed(points)}" for name, points in parts.items() if points)
        why = f": {self.reasons}" if self.reasons else ""
        return f"Since {self.compared_with}: {_signed(self.change)} ({listed}){why}"


@dataclass(frozen=True)
class Explanation:
    """What was recorded of an account for a day, and why."""

    account_id: str
    account_name: str
    owner_name: str | None
    as_of_date: date
    score: float
    score_low: float
    score_high: float
    base_score: float
    model_bucket: str
    bucket: str
    decision: str
    conflict_reason: str | None
    unknown_signals: str | None
    is_overridden: bool
    override_reason: str | None
    overridden_by: str | None
    overridden_by_name: str | None
    delta_7d: float | None
    delta_30d: float | None
    trend: str | None
    change: Change | None
    next_action: str | None
    next_action_reason: str | None
    unknown_effect: str | None
    days_to_renewal: int | None
    arr_usd: float | None
    rule_set: str
    rule_version: str
    smoothing_days: int | None
    ledger: list[Line]
    actions: list[Action]

    def json(self) -> str:
        """The same for programs."""
        return json.dumps(asdict(self), default=str, ensure_ascii=False, indent=2)

    def text(self) -> str:
        """The lines a rep reads."""
        lines = [
            f"{self.account_name} ({self.account_id}) on {self.as_of_date}: "
            f"score {_number(self.score)}, {BUCKETS[self.bucket]}{self._interval()}",
            f"Starts at {_number(self.base_score)}; what moved it:",
        ]
        fired = [line for line in self.ledger if line.result == "true"]
        lines += [f"  {line.evidence}" for line in fired] or ["  nothing: no rule fired"]
        missing = [line for line in self.ledger if line.result == "unknown"]
        lines += [f"  {line.evidence}{_could_add(line)}" for line in missing]
        if self.smoothing_days and self.smoothing_days > 1:
            lines.append(f"The bucket is by the median score of the last {self.smoothing_days} scored dates.")
        if self.unknown_effect:
            lines.append(f"{self.unknown_effect}.")
        if self.decision == "undecided":
            lines.append("Not decided: the bucket depends on what is not known.")
        if self.decision == "conflict":
            lines.append(f"Not decided: {self.conflict_reason}.")
        if self.is_overridden:
            name = self.overridden_by_name or self.overridden_by
            who = f" by {name}" if name else ""
            moved = f"from {BUCKETS[self.model_bucket]} to {BUCKETS[self.bucket]}"
            lines.append(f"Overruled{who} {moved}: {self.override_reason}")
        lines.append(self._trend())
        if self.change:
            lines.append(self.change.text())
        facts = [f"Owner: {self.owner_name or 'none'}"]
        if self.days_to_renewal is not None:
            facts.append(f"renewal in {counted(self.days_to_renewal, 'day')}")
        if self.arr_usd is not None:
            facts.append(f"{self.arr_usd:,.0f} USD a year")
        lines.append(", ".join(facts) + ".")
        if self.next_action:
            lines.append(f"Next: {self.next_action}")
            if self.next_action_reason and self.next_action_reason != self.unknown_effect:
                lines.append(f"  because: {self.next_action_reason}")
        if self.actions:
            lines.append(f"Actions: {'; '.join(action.text() for action in self.actions)}.")
        person = next((action.mode_reason for action in self.actions if action.mode_reason), None)
        if person and self.decision == "decided":
            lines.append(f"A person decides: {person}.")
        return "\n".join(map(inert_value, lines))

    def _interval(self) -> str:
        if self.score_low == self.score_high:
            return ""
        return f" (could be {_number(self.score_low)} to {_number(self.score_high)}: see what is not known)"

    def _trend(self) -> str:
        if self.delta_7d is None and self.delta_30d is None:
            return "Trend: new, no earlier score to compare with."
        parts = [
            f"{change:+.4g} in {days} days"
            for change, days in ((self.delta_7d, 7), (self.delta_30d, 30))
            if change is not None
        ]
        return f"Trend: {self.trend + ', ' if self.trend else ''}{', '.join(parts)}."


@contextmanager
def _readable(database: Path) -> Iterator[None]:
    """What is damaged, and what an earlier version of Radar published: both lack what is asked for."""
    try:
        yield
    except duckdb.Error as error:
        raise WarehouseError(
            f"this version of Radar cannot read the copy: {str(error).splitlines()[0]}",
            "run `radar run` once: it publishes the copy again",
            file=database,
        ) from error


def explain(database: Path, account: str, as_of: date | None = None) -> Explanation:
    """The explanation of one account from a warehouse or a published copy; the newest day by default.

    `account` is its id, or a name that one account alone has; case and accents do not matter. Raises
    UsageError where there is no such account or no score, WarehouseError for a file that this version cannot
    read.
    """
    with _readable(database), duckdb.connect(str(database), read_only=True) as con:
        account_id = _account_id(con, account, database)
        recorded = _one(
            con,
            """
            select * from marts.fct_health_history
            where account_id = $account_id and as_of_date = coalesce($as_of, (
                select max(as_of_date) from marts.fct_health_history where account_id = $account_id
            ))
            """,
            account_id=account_id,
            as_of=as_of,
        )
        if recorded is None:
            raise _no_score(con, account_id, as_of, database)
        day = recorded["as_of_date"]
        snapshot = _one(
            con,
            "select * from marts.rpt_account_health where account_id = $account_id and as_of_date = $day",
            account_id=account_id,
            day=day,
        )
        owner = _one(
            con,
            "select max(owner_name) as name from marts.rpt_account_health where owner_id = $who",
            who=recorded["overridden_by"],
        ) or {"name": None}
        name = _one(
            con,
            """
            select name as account_name, owner_name from intermediate.int_account_versions
            where account_id = $account_id and $day between valid_from_date and valid_to_date
            """,
            account_id=account_id,
            day=day,
        ) or {"account_name": account_id, "owner_name": None}
        renewal = _one(
            con,
            """
            select days_to_renewal from signals.sig_billing
            where account_id = $account_id and as_of_date = $day
            """,
            account_id=account_id,
            day=day,
        )
        ledger = con.execute(
            """
            select
                rule_id, result, points, points_low, points_high, signal, observed_value, threshold, evidence
            from marts.fct_health_evidence
            where account_id = $account_id and as_of_date = $day
            order by result, points, rule_number
            """,
            {"account_id": account_id, "day": day},
        ).fetchall()
        smoothing = _one(
            con,
            "select smoothing_days from seeds.rule_sets where rule_set = $rule_set",
            rule_set=recorded["rule_set"],
        )
        change = con.execute(_CHANGE, {"account_id": account_id, "day": day}).fetchone()
        actions = con.execute(_ACTIONS, {"account_id": account_id, "day": day}).fetchall()
        deltas = {
            days: _one(
                con,
                """
                select score + coalesce((
                    -- what other rules made of the score is no movement of the account
                    select sum(rule_change) from marts.fct_score_changes
                    where
                        account_id = $account_id
                        and as_of_date > cast($day as date) - cast($days as integer) and as_of_date <= $day
                ), 0) as score
                from marts.fct_health_history
                where account_id = $account_id and as_of_date = cast($day as date) - cast($days as integer)
                """,
                account_id=account_id,
                day=day,
                days=days,
            )
            for days in (7, 30)
        }
    return Explanation(
        account_id=account_id,
        account_name=name["account_name"],
        owner_name=name["owner_name"],
        as_of_date=day,
        **{key: recorded[key] for key in ("score", "score_low", "score_high")},
        base_score=float(recorded["base_score"]),
        model_bucket=recorded["model_bucket"],
        bucket=recorded["bucket"],
        decision=recorded["decision"],
        conflict_reason=recorded["conflict_reason"],
        unknown_signals=recorded["unknown_signals"],
        is_overridden=recorded["is_overridden"],
        override_reason=recorded["override_reason"],
        overridden_by=recorded["overridden_by"],
        overridden_by_name=owner["name"],
        delta_7d=_change(recorded, deltas[7]),
        delta_30d=_change(recorded, deltas[30]),
        trend=snapshot["trend"] if snapshot else None,
        change=Change(*change) if change else None,
        next_action=snapshot["next_action"] if snapshot else None,
        next_action_reason=snapshot["next_action_reason"] if snapshot else None,
        unknown_effect=snapshot["unknown_effect"] if snapshot else None,
        days_to_renewal=renewal["days_to_renewal"] if renewal else None,
        arr_usd=recorded["arr_usd"],
        rule_set=recorded["rule_set"],
        rule_version=recorded["rule_version"],
        smoothing_days=smoothing["smoothing_days"] if smoothing else None,
        ledger=[_line(row) for row in ledger],
        actions=[Action(*row) for row in actions],
    )


def _account_id(con: duckdb.DuckDBPyConnection, asked: str, database: Path) -> str:
    """The id of the account that is asked for by id or name. Raises UsageError that names what is near."""
    known = "select 1 from intermediate.int_account_versions where account_id = $asked limit 1"
    if con.execute(known, {"asked": asked}).fetchone():
        return asked
    found = con.execute(_NAMED, {"asked": asked}).fetchall()
    if len(found) == 1:
        return str(found[0][0])
    if found:
        raise UsageError(
            f"{len(found)} accounts are called '{inert_value(asked)}'",
            f"give the id of one of them: {_listed(found)}",
            file=database,
        )
    near = con.execute(_NEAR, {"asked": asked, "least": LEAST_LIKENESS, "most": MOST_SUGGESTIONS}).fetchall()
    raise UsageError(
        f"there is no account '{inert_value(asked)}', neither by id nor by name",
        f"the nearest: {_listed(near)}" if near else "look the id up in marts.rpt_account_health",
        file=database,
    )


def _listed(accounts: Sequence[tuple[str, str | None]]) -> str:
    shown = [inert_value(f"{account_id} ({name})") for account_id, name in accounts[:MOST_LISTED]]
    more = len(accounts) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def _no_score(
    con: duckdb.DuckDBPyConnection, account_id: str, as_of: date | None, database: Path
) -> UsageError:
    """An account that is known and has no score: on that day, or ever."""
    days = _one(
        con,
        """
        select min(as_of_date) as first, max(as_of_date) as last, count(*) as days
        from marts.fct_health_history where account_id = $account_id
        """,
        account_id=account_id,
    )
    if days and days["days"] and as_of:
        return UsageError(
            f"account {account_id} has no score on {as_of}",
            f"name one of the {days['days']:,} days with one, from {days['first']} to {days['last']}",
            file=database,
        )
    return UsageError(
        f"account {account_id} has no score{f' on {as_of}' if as_of else ''}",
        "marts.rpt_not_scored_accounts lists the accounts that are not scored, and why",
        file=database,
    )


def _one(con: duckdb.DuckDBPyConnection, query: str, **parameters: Any) -> dict[str, Any] | None:
    result = con.execute(query, parameters)
    names = [column[0] for column in result.description or []]
    row = result.fetchone()
    return dict(zip(names, row, strict=True)) if row else None


def _change(recorded: dict[str, Any], earlier: dict[str, Any] | None) -> float | None:
    return float(recorded["score"] - earlier["score"]) if earlier else None


def _line(row: tuple[Any, ...]) -> Line:
    return Line(*(float(cell) if isinstance(cell, Decimal) else cell for cell in row))  # type: ignore[arg-type]


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _signed(value: float) -> str:
    return f"{'-' if value < 0 else '+' if value > 0 else ''}{_number(abs(value))}"


def _could_add(line: Line) -> str:
    """What an unknown rule could still do to the score; one without points changes the bucket or a flag."""
    if line.points_low <= -100:
        return " (could cost any number of points)"
    if line.points_high >= 100:
        return " (could add any number of points)"
    if line.points_low < 0:
        return f" (could cost {_number(-line.points_low)} {plural(-line.points_low, 'point')})"
    if line.points_high > 0:
        return f" (could add {_number(line.points_high)} {plural(line.points_high, 'point')})"
    return ""
