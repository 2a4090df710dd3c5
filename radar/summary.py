"""What a run did, for the person who started it: counts, the accounts most at risk, where to look next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import duckdb

from orchestration.landing.feeds import load_feeds
from radar.settings import Settings
from radar.warehouse import state_dir

MOST_AT_RISK = 10

_FEEDS = """
    SELECT
        feed,
        count(*) AS files,
        count(*) FILTER (WHERE status = 'refused') AS files_refused,
        coalesce(sum(rows_landed), 0)::BIGINT AS rows_landed,
        coalesce(sum(rows_repeated), 0)::BIGINT AS rows_repeated
    FROM audit.loads WHERE run_id = $run_id GROUP BY feed ORDER BY feed
"""
_REFUSED = """
    SELECT feed, rule, count(*) FROM quarantine.rejected_rows
    WHERE batch_id = $batch_id GROUP BY ALL ORDER BY feed, count(*) DESC, rule
"""
_VALUES = "SELECT feed, count(*) FROM quarantine.rejected_values WHERE batch_id = $batch_id GROUP BY ALL"
_CHECKS = """
    SELECT
        count(*) FILTER (WHERE success),
        count(*) FILTER (WHERE NOT success AND severity = 'critical'),
        count(*) FILTER (WHERE NOT success AND severity <> 'critical')
    FROM audit.checks WHERE run_id = $run_id
"""
_HELD = "SELECT feed, reason FROM audit.feed_states WHERE run_id = $run_id AND state = 'held' ORDER BY feed"
_FILES = """
    SELECT source_file, message FROM audit.loads
    WHERE run_id = $run_id AND status = 'refused' ORDER BY source_file
"""
_UNKNOWN_COLUMNS = """
    SELECT feed, extra_columns FROM audit.loads
    WHERE run_id = $run_id AND status = 'landed' AND extra_columns IS NOT NULL ORDER BY feed, source_file
"""
_BUCKETS = """
    SELECT bucket, count(*) FROM marts.rpt_account_health GROUP BY bucket
    ORDER BY CASE bucket WHEN 'at_risk' THEN 1 WHEN 'watch' THEN 2 ELSE 3 END
"""
_DECISIONS = "SELECT decision, count(*) FROM marts.rpt_account_health GROUP BY decision ORDER BY decision"
_AT_RISK = """
    SELECT account_id, account_name, score, score_low, score_high, bucket,
        is_overridden, reason_1, reason_2, reason_3, reason_4
    FROM marts.rpt_account_health
    WHERE bucket <> 'healthy' OR decision <> 'decided'
    ORDER BY
        CASE bucket WHEN 'at_risk' THEN 1 WHEN 'watch' THEN 2 ELSE 3 END,
        score, arr_usd DESC NULLS LAST, account_id
    LIMIT $most
"""
_ASKED = """
    SELECT
        (SELECT count(*) FROM marts.rpt_review_queue),
        (SELECT count(*) FROM intermediate.int_sign_offs WHERE NOT is_signed_off),
        (SELECT count(*) FROM marts.rpt_spot_checks
            WHERE verdict IS NULL AND iso_week = (SELECT max(iso_week) FROM marts.rpt_spot_checks))
"""
_DISAGREEMENT = """
    SELECT disagreed, answered, disagreed_pct FROM marts.rpt_review_agreement
    WHERE period = 'overall' AND is_over_limit
"""
_ACTIONS = """
    SELECT status, suppressed_by, count(*) FROM marts.fct_actions
    WHERE as_of_date = $end AND status IN ('ready', 'to_approve', 'suppressed')
    GROUP BY ALL ORDER BY count(*) DESC, suppressed_by
"""
_EXPORTS = "SELECT profile, rows, folder FROM audit.exports WHERE run_id = $run_id ORDER BY profile"
_NOT_EXPORTED = """
    SELECT profile, status, message FROM audit.sync_runs
    WHERE run_id = $run_id AND status IN ('held', 'failed', 'skipped') ORDER BY profile
"""
_DELIVERED = """
    WITH last_states AS (
        SELECT channel, kind, delivery_key, arg_max(carrier, sequence) AS carrier,
            arg_max(status, sequence) AS status
        FROM audit.deliveries WHERE run_id = $run_id GROUP BY ALL
    )
    SELECT channel, carrier, kind, status, count(*) FROM last_states
    GROUP BY ALL ORDER BY channel, kind, status
"""
_UNKNOWN_FEEDS = """
    SELECT feed, state FROM intermediate.int_feed_states
    WHERE as_of_date = $end AND state NOT IN ('known', 'held') ORDER BY state, feed
"""
_OFF = """
    SELECT DISTINCT rule_id
    FROM seeds.rule_conditions
    JOIN seeds.rule_sets USING (rule_set)
    JOIN intermediate.int_signal_states USING (signal)
    WHERE status = 'champion' AND as_of_date = $end AND NOT is_used
    ORDER BY rule_id
"""


_STATES = {
    "never_landed": "never landed: put its files into {place}, or set is_used to false in seeds/feeds.csv",
    "stale": "is stale: nothing has arrived in its max_age_days (seeds/feeds.csv); its signals are unknown",
    "not_used": "is not used (seeds/feeds.csv)",
}


_PLURALS = {"recovery": "recoveries"}
_STATUSES = {
    "attempting": "cut short",
    "delivered": "delivered",
    "written": "written to the outbox",
    "failed": "failed, tried again",
    "in_doubt": "in doubt, look at the destination",
}


@dataclass(frozen=True)
class Summary:
    """What `text` tells.

    `held`: feed and reason; `checks`: passed, failed critically, failed otherwise; `asked`: accounts in the
    review queue, sign-offs and spot checks of the newest week that wait; `disagreement`: verdicts against
    the flags, of how many, in percent, where that is above the limit; `not_exported`: destination, held,
    failed or skipped, and why.
    """

    as_of: str
    feeds: Sequence[tuple[str, int, int, int, int]]
    refused: Sequence[tuple[str, str, int]]
    values: dict[str, int]
    files: Sequence[tuple[str, str]]
    unknown_columns: dict[str, list[str]]
    checks: tuple[int, int, int]
    held: Sequence[tuple[str, str]]
    buckets: Sequence[tuple[str, int]]
    decisions: Sequence[tuple[str, int]]
    at_risk: Sequence[tuple[Any, ...]]
    asked: tuple[int, int, int]
    disagreement: tuple[int, int, float] | None
    actions: Sequence[tuple[str, str | None, int]]
    exports: Sequence[tuple[str, int, Path]]
    not_exported: Sequence[tuple[str, str, str]]
    deliveries: Sequence[tuple[str, str, str, str, int]]
    unknown_feeds: Sequence[tuple[str, str]]
    rules_off: Sequence[str]
    places: Sequence[tuple[str, Path | str]]

    @property
    def held_exports(self) -> list[str]:
        """Destinations that a guard held, or whose files could not be written."""
        return [profile for profile, status, _ in self.not_exported if status != "skipped"]


def of_run(con: duckdb.DuckDBPyConnection, run_id: str, settings: Settings) -> Summary:
    """Read what the run left in the warehouse."""

    def rows(query: str, **values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = con.execute(query, values).fetchall()
        return found

    ((batch_id, start, end),) = rows(
        "SELECT batch_id, as_of_start, as_of_end FROM control.run_window WHERE run_id = $run_id",
        run_id=run_id,
    )
    return Summary(
        as_of=str(end) if start == end else f"{start} to {end}",
        feeds=rows(_FEEDS, run_id=run_id),
        refused=rows(_REFUSED, batch_id=batch_id),
        values=dict(rows(_VALUES, batch_id=batch_id)),
        files=rows(_FILES, run_id=run_id),
        unknown_columns=_names_by_feed(rows(_UNKNOWN_COLUMNS, run_id=run_id)),
        checks=rows(_CHECKS, run_id=run_id)[0],
        held=rows(_HELD, run_id=run_id),
        buckets=rows(_BUCKETS),
        decisions=rows(_DECISIONS),
        at_risk=rows(_AT_RISK, most=MOST_AT_RISK),
        asked=rows(_ASKED)[0],
        disagreement=next(iter(rows(_DISAGREEMENT)), None),
        actions=rows(_ACTIONS, end=end),
        exports=[(name, count, settings.exports / at) for name, count, at in rows(_EXPORTS, run_id=run_id)],
        not_exported=rows(_NOT_EXPORTED, run_id=run_id),
        deliveries=rows(_DELIVERED, run_id=run_id) if _has_deliveries(con) else [],
        unknown_feeds=rows(_UNKNOWN_FEEDS, end=end),
        rules_off=[rule for (rule,) in rows(_OFF, end=end)],
        places=[
            ("Data Docs", state_dir(settings.warehouse) / "data_docs" / "index.html"),
            ("Copy for readers", settings.published / "radar.duckdb"),
            ("Exports", settings.exports),
            *([("Outbox", settings.exports / "outbox")] if (settings.exports / "outbox").is_dir() else []),
            ("Why a score", "radar explain ACCOUNT_ID"),
        ],
    )


def text(told: Summary, extracts: Path, notes: Sequence[str] = ()) -> str:
    """The summary as lines; `notes` are what steps left to be told."""
    sections = [
        [*_landed(told), *(f"  {note}" for note in notes)],
        _set_aside(told.unknown_columns),
        _checked(told),
        _gaps(told, extracts),
        _scored(told),
        _most_at_risk(told),
        _to_do(told),
        _asked(told),
        _exported(told),
        _delivered(told),
        ["Where to look next", *(f"  {name:<18}{place}" for name, place in told.places)],
    ]
    return "\n\n".join("\n".join(line.rstrip() for line in lines) for lines in sections if lines)


def _landed(told: Summary) -> list[str]:
    refused: dict[str, list[str]] = {}
    for feed, rule, count in told.refused:
        refused.setdefault(feed, []).append(f"{count:,} {rule}")
    landed = {feed: counts for feed, *counts in told.feeds}
    held = {feed for feed, _ in told.held}
    lines = []
    for feed in sorted(landed.keys() | refused.keys()):
        rows = landed.get(feed, [0, 0, 0, 0])[2]
        why = [f"held back ({rows:,} rows)"] if feed in held else refused.get(feed, [])
        lines.append(
            f"  {feed:<24}{0 if feed in held else rows:>13,}{told.values.get(feed, 0):>16,}  {', '.join(why)}"
        )
    head = f"  {'feed':<24}{'rows landed':>13}{'values refused':>16}  rows refused"
    files = [f"  refused {message.replace(chr(10), f'{chr(10)}  ')}" for _, message in told.files]
    return ["Landed", *([head, *lines] if lines else ["  nothing new has arrived"]), *files]


def _names_by_feed(loads: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Feed -> the unknown columns of its files, each once."""
    names: dict[str, dict[str, None]] = {}
    for feed, columns in loads:
        names.setdefault(feed, {}).update(dict.fromkeys(columns.split(", ")))
    return {feed: list(found) for feed, found in names.items()}


def _set_aside(columns_by_feed: dict[str, list[str]]) -> list[str]:
    """Columns that no feed has: kept aside, read by nothing; each with the known name it resembles."""
    lines = []
    for feed, columns in columns_by_feed.items():
        known = load_feeds()[feed].column_names if feed in load_feeds() else ()
        named = []
        for column in columns:
            nearest = get_close_matches(column.lower(), known, n=1)
            named.append(f"{column} (resembles {nearest[0]})" if nearest else column)
        lines.append(f"  {feed}: {', '.join(named)}")
    return ["Columns set aside, because the feed has none of their names", *lines] if lines else []


def _checked(told: Summary) -> list[str]:
    passed, critical, other = told.checks
    held = [f"  held back {feed}: {reason}" for feed, reason in told.held]
    return [f"Checked\n  {passed} passed, {critical} critical failed, {other} others failed", *held]


def _gaps(told: Summary, extracts: Path) -> list[str]:
    feeds = [f"  {feed} {_STATES[state].format(place=extracts / feed)}" for feed, state in told.unknown_feeds]
    off = [f"  rules that are off for it: {', '.join(told.rules_off)}"] if told.rules_off else []
    return ["Feeds that scoring goes without", *feeds, *off] if feeds or off else []


def _scored(told: Summary) -> list[str]:
    buckets = ", ".join(f"{bucket} {count:,}" for bucket, count in told.buckets)
    decisions = ", ".join(f"{decision} {count:,}" for decision, count in told.decisions)
    return [f"Scored as of {told.as_of}", f"  {buckets or 'no account'}", f"  {decisions}".rstrip()]


def _most_at_risk(told: Summary) -> list[str]:
    if not told.at_risk:
        return ["Nobody is at risk, on watch or undecided"] if told.buckets else []
    lines = []
    for account_id, name, score, low, high, bucket, is_overridden, *reasons in told.at_risk:
        by_hand = "  (bucket set by hand)" if is_overridden else ""
        span = f" ({low:g}-{high:g})" if low != high else ""
        lines.append(f"  {f'{score:g}{span}':<12}{bucket:<9}{account_id}  {name}{by_hand}")
        lines.extend(f"{'':<23}{reason}" for reason in reasons if reason)
    return [f"The {len(told.at_risk)} most at risk", *lines]


def _asked(told: Summary) -> list[str]:
    queue, sign_offs, spot_checks = told.asked
    lines = [
        f"  {queue:,} accounts in the review queue, {sign_offs:,} sign-offs that wait,"
        f" {spot_checks:,} spot checks of the week that wait"
    ]
    if told.disagreement:
        disagreed, answered, pct = told.disagreement
        lines.append(
            f"  warning: people disagree with {disagreed:,} of {answered:,} spot checks ({pct:.1f} %):"
            " look at marts.rpt_spot_checks, and at the rules behind their flags"
        )
    return ["Asked of people", *lines]


def _to_do(told: Summary) -> list[str]:
    counts: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for status, suppressed_by, count in told.actions:
        counts[status] += count
        if status == "suppressed":
            held.update(dict.fromkeys((suppressed_by or "").split(", "), count))
    why = ", ".join(f"{reason} {count:,}" for reason, count in held.most_common())
    suppressed = f"{counts['suppressed']:,} suppressed{f' ({why})' if why else ''}"
    return [
        f"Actions of {told.as_of}",
        f"  {counts['ready']:,} ready, {counts['to_approve']:,} to approve, {suppressed}",
    ]


def _exported(told: Summary) -> list[str]:
    return [
        "Exported",
        *(f"  {profile}: {rows:,} rows in {folder}" for profile, rows, folder in told.exports),
        *(
            f"  {profile} {status}: {message.replace(chr(10), f'{chr(10)}  ')}"
            for profile, status, message in told.not_exported
        ),
    ]


def _delivered(told: Summary) -> list[str]:
    """What became of what was due, by channel."""
    lines = []
    for channel in sorted({channel for channel, *_ in told.deliveries}):
        rows = [row for row in told.deliveries if row[0] == channel]
        counts = ", ".join(
            f"{count:,} {_named(kind, count)} {_STATUSES[status]}" for _, _, kind, status, count in rows
        )
        is_outbox = any(carrier == "outbox" and kind != "draft" for _, carrier, kind, *_ in rows)
        lines.append(f"  {channel}: {counts}{' (no secret is set)' if is_outbox else ''}")
    return ["Delivered", *lines] if lines else []


def _named(kind: str, count: int) -> str:
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")


def _has_deliveries(con: duckdb.DuckDBPyConnection) -> bool:
    query = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'audit' AND table_name = 'deliveries'"
    return bool(con.execute(query).fetchone() != (0,))
