"""What a run did, for the person who started it: counts, the accounts most at risk, where to look next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from radar.core.plural import counted, plural
from radar.core.settings import Settings
from radar.core.terminal import inert, inert_value
from radar.core.warehouse import state_dir
from radar.exports.outbound import blocked_deliveries
from radar.quality.gate import REMEDY
from radar.rules import vocabulary

MOST_AT_RISK = 10

_FEEDS = """
    SELECT
        feed,
        coalesce(sum(rows_landed), 0)::BIGINT AS rows_landed,
        coalesce(sum(rows_repeated), 0)::BIGINT AS rows_repeated,
        coalesce(sum(rows_waiting), 0)::BIGINT AS rows_waiting,
        coalesce(sum(rows_rejected + coalesce(rows_refused_by_checks, 0)), 0)::BIGINT AS rows_refused,
        (SELECT count(*) FROM quarantine.rejected_values AS cells
            WHERE cells.feed = loads.feed AND cells.batch_id = $batch_id) AS values_refused
    FROM audit.loads AS loads WHERE run_id = $run_id GROUP BY feed ORDER BY feed
"""
_LEFT_OUT = """
    WITH lines AS (
        SELECT *, 'rows' AS what FROM quarantine.rejected_rows
        WHERE batch_id = $batch_id AND row_number IS NOT NULL
        UNION ALL
        SELECT *, 'values' AS what FROM quarantine.rejected_values WHERE batch_id = $batch_id
    )
    SELECT
        feed, what, coalesce(column_name, ''), rule, count(*),
        min_by(masked_value, (source_file, row_number)),
        min_by(
            source_file || coalesce(' key ' || row_key, ' row ' || row_number), (source_file, row_number)
        )
    FROM lines GROUP BY feed, what, column_name, rule ORDER BY feed, what, count(*) DESC, rule, column_name
"""
_CHECKS = """
    SELECT
        count(*) FILTER (WHERE success),
        count(*) FILTER (WHERE NOT success AND severity = 'critical'),
        count(*) FILTER (WHERE NOT success AND severity <> 'critical')
    FROM audit.checks WHERE run_id = $run_id
"""
_FAILED = """
    SELECT
        feed, check_name, CASE WHEN success THEN 'within bounds' ELSE severity END,
        coalesce(error, message)
    FROM audit.checks
    WHERE
        run_id = $run_id
        AND (NOT success OR (unexpected_count > 0 AND action IN ('reject_row', 'null_value')))
    ORDER BY success, CASE severity WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END, feed, check_name
"""
_COVERED = """
    SELECT
        count(*),
        count(*) FILTER (WHERE last_days.account_id IS NOT NULL),
        count(*) FILTER (WHERE subscribed.account_id IS NOT NULL)
    FROM marts.rpt_account_health AS health
    LEFT JOIN (
        SELECT DISTINCT coalesce(aliases.resolved_account_id, bounds.account_id) AS account_id
        FROM intermediate.int_event_bounds AS bounds
        LEFT JOIN raw.account_aliases AS aliases
            ON aliases.source = 'product' AND bounds.account_id = aliases.account_id
    ) AS last_days ON health.account_id = last_days.account_id
    LEFT JOIN (SELECT DISTINCT account_id FROM staging.stg_billing__subscriptions) AS subscribed
        ON health.account_id = subscribed.account_id
"""
_USED = "SELECT feed FROM seeds.feeds WHERE is_used AND feed IN ('product/events', 'billing/subscriptions')"
_DELETED = """
    SELECT arrived.account_id, count(*) FROM raw.product_events AS arrived
    SEMI JOIN (
        SELECT account_id FROM intermediate.int_account_versions
        GROUP BY account_id HAVING max_by(is_deleted, valid_to_date)
    ) AS deleted ON arrived.account_id = deleted.account_id
    ANTI JOIN (SELECT account_id FROM raw.account_aliases WHERE source = 'product') AS aliases
        ON arrived.account_id = aliases.account_id
    WHERE arrived._batch_id = $batch_id GROUP BY ALL ORDER BY count(*) DESC, arrived.account_id
"""
_UNJOINED = """
    SELECT
        coverage.feed, rows_total, rows_resolved_pct, users_total, users_resolved_pct, ids_total,
        ids_resolved_pct, largest_unresolved, is_below_limit
    FROM marts.rpt_join_coverage AS coverage
    SEMI JOIN (SELECT feed FROM seeds.feeds WHERE is_used) AS used ON coverage.feed = used.feed
    WHERE rows_resolved < rows_total ORDER BY coverage.feed
"""
_UNKNOWN_AMOUNTS = """
    SELECT feed, currency, amounts, amount, first_date, what_to_do
    FROM marts.rpt_unknown_amounts ORDER BY feed, currency
"""
_LOOKALIKE_IDS = """
    SELECT feed, column_name, other_feed, other_column_name, ids, id_rows, examples, what_to_do
    FROM marts.rpt_lookalike_ids ORDER BY feed, column_name, other_feed, other_column_name
"""
_TO_CHOOSE = """
    SELECT count(DISTINCT (source, source_account_id)) FROM marts.dim_account_links WHERE NOT is_linked
"""
_BLOCKED = """
    SELECT feed, reason FROM audit.feed_states
    WHERE run_id = $run_id AND state = 'held' ORDER BY feed
"""
_FILES = """
    SELECT source_file, message FROM audit.loads
    WHERE run_id = $run_id AND status = 'refused' ORDER BY source_file
"""
_UNKNOWN_COLUMNS = """
    SELECT feed, column_name, min(nearest_name) FROM audit.column_findings
    WHERE run_id = $run_id AND finding <> 'gone' GROUP BY feed, column_name ORDER BY feed, column_name
"""
_SCHEMA_CHANGES = (
    "SELECT feed, column_name, change, files, refused_values FROM marts.rpt_schema_changes"
    " WHERE batch_id = $batch_id ORDER BY attention_rank, feed, column_name"
)
_BUCKETS = """
    SELECT bucket, count(*) FROM marts.rpt_account_health GROUP BY bucket
    ORDER BY CASE bucket WHEN 'at_risk' THEN 1 WHEN 'watch' THEN 2 ELSE 3 END
"""
_NOT_SCORED = "SELECT reason, count(*) FROM marts.rpt_not_scored_accounts GROUP BY reason ORDER BY reason"
_EXCLUDED = """
    SELECT
        (SELECT count(DISTINCT user_id) FROM intermediate.int_excluded_users),
        (SELECT count(DISTINCT contact_id) FROM staging.stg_crm__excluded_contacts)
"""
_UNMATCHED = "SELECT seed_row FROM marts.rpt_excluded WHERE is_unmatched ORDER BY seed_row"
_DECISIONS = "SELECT decision, count(*) FROM marts.rpt_account_health GROUP BY decision ORDER BY decision"
_AT_RISK = """
    SELECT account_id, account_name, score, score_low, score_high, bucket, is_overridden,
        NOT has_live_subscription AND bool_or(has_live_subscription) OVER () AS is_marked,
        reason_1, reason_2, reason_3, reason_4
    FROM marts.rpt_account_health
    QUALIFY bucket <> 'healthy' AND account_id NOT IN (SELECT account_id FROM marts.rpt_prospects)
    ORDER BY
        has_live_subscription DESC,
        CASE bucket WHEN 'at_risk' THEN 1 WHEN 'watch' THEN 2 ELSE 3 END,
        score, arr_usd DESC NULLS LAST, account_id
    LIMIT $most
"""
_PROSPECTS = """
    SELECT account_id, account_name, score, bucket, count(*) OVER () FROM marts.rpt_prospects
    WHERE bucket <> 'healthy' ORDER BY score, account_id LIMIT $most
"""
_FINDINGS = "SELECT finding FROM marts.rpt_rule_set_checks WHERE is_over_limit ORDER BY check_name"
_EXAMPLE = """
    SELECT account_id FROM marts.rpt_account_health
    ORDER BY has_live_subscription DESC, score, account_id LIMIT 1
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
_NOT_IN_FILES = """
    SELECT profile, message FROM audit.sync_runs
    WHERE run_id = $run_id AND status NOT IN ('held', 'failed', 'skipped') AND message IS NOT NULL
"""
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
_LATER_DAY = "SELECT max(as_of_date) FROM marts.fct_health_history HAVING max(as_of_date) > $end"
_UNKNOWN_FEEDS = """
    SELECT feed, state, coalesce(reason, '') FROM intermediate.int_feed_states
    WHERE as_of_date = $end AND state NOT IN ('known', 'held') ORDER BY state, feed
"""
_OFF = """
    SELECT rule_set, rule_id, title, signal_labels, reasons, rules_in_set FROM marts.rpt_rules_off
    ORDER BY rule_id
"""


_STATES = {
    "never_landed": "never landed: put its files into {folder}, or set is_used to false in seeds/feeds.csv",
    "stale": "is stale: {reason} (max_age_days in seeds/feeds.csv); its signals are unknown",
    "not_used": "is not used (seeds/feeds.csv)",
}


_PLURALS = {"recovery": "recoveries"}
_STATUSES = {
    "attempting": "cut short",
    "delivered": "delivered",
    "written": "written to the outbox",
    "failed": "failed, tried again",
    "in_doubt": "in doubt, look at the destination",
    "blocked": "blocked for what they lack (see audit.deliveries)",
}


@dataclass(frozen=True)
class Summary:
    """What `text` shows.

    `feeds`: rows landed, repeated, waiting and refused, and values refused; `left_out`: of each feed, rows or
    values, their column and rule, how many, a masked example and where the first is; `failed`: feed, name,
    severity and message of each check; `covered`: scored accounts, those of which there is usage at all, and
    those with a subscription; `deleted`: events of this run under accounts that are deleted.
    `unjoined`: feeds of which not every row finds its account: rows, users and ids, each with the share that
    does, the ids for which most rows wait, and whether that is below the limit; `unknown_amounts`: feed,
    currency, how many amounts without a rate, their sum, the first day, what to do; `lookalike_ids`: feed and
    column, feed and column that have another spelling, how many ids and rows, examples, what to do;
    `to_choose`: ids that may be more than one account; `excluded`: users and contacts of whom nothing
    counts; `unmatched`: rows of excluded.csv, from 1, that name nobody.
    `blocked`: feed and reason; `checks`: passed, failed critically, failed otherwise; `asked`: accounts in
    the review queue, sign-offs and spot checks of the newest week that wait; `prospects`: account, name,
    score and bucket of those that never bought anything, and how many; `disagreement`: verdicts against the
    flags, of how many, in percent, where that is above the limit; `not_exported`: destination, blocked,
    failed or skipped, and why; `later_day`: the newest scored day, where this run's is not; `findings`: why
    the rules may not distinguish accounts; `rules_off`: rule set, rule, title, what it would have read, why
    it cannot, how many rules the set has.
    """

    as_of: str
    feeds: Sequence[tuple[str, int, int, int, int, int]]
    left_out: Sequence[tuple[str, str, str, str, int, str | None, str]]
    files: Sequence[tuple[str, str]]
    unknown_columns: Sequence[tuple[str, str, str | None]]
    schema_changes: Sequence[tuple[str, str, str, int, int | None]]
    checks: tuple[int, int, int]
    failed: Sequence[tuple[str, str, str, str]]
    covered: tuple[int, int, int]
    used: Sequence[str]
    deleted: Sequence[tuple[str, int]]
    unjoined: Sequence[tuple[str, int, float, int, float | None, int, float, str, bool]]
    unknown_amounts: Sequence[tuple[str, str, int, float, date, str]]
    lookalike_ids: Sequence[tuple[str, str, str, str, int, int, str, str]]
    to_choose: int
    blocked: Sequence[tuple[str, str]]
    buckets: Sequence[tuple[str, int]]
    decisions: Sequence[tuple[str, int]]
    not_scored: Sequence[tuple[str, int]]
    excluded: tuple[int, int]
    unmatched: Sequence[int]
    at_risk: Sequence[tuple[Any, ...]]
    prospects: Sequence[tuple[str, str | None, float, str, int]]
    asked: tuple[int, int, int]
    disagreement: tuple[int, int, float] | None
    actions: Sequence[tuple[str, str | None, int]]
    exports: Sequence[tuple[str, int, Path]]
    not_exported: Sequence[tuple[str, str, str]]
    not_in_files: dict[str, str]
    deliveries: Sequence[tuple[str, str, str, str, int]]
    blocked_deliveries: dict[str, str]
    unknown_feeds: Sequence[tuple[str, str, str]]
    unrecognised: Sequence[vocabulary.Unrecognised]
    findings: Sequence[str]
    rules_off: Sequence[tuple[str, str, str | None, str, str, int]]
    where_to_look: Sequence[tuple[str, Path | str]]
    later_day: date | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out: no feed or part of it, no words, no destination, no day."""
        return not (
            self.blocked
            or self.checks[1]
            or self.has_blocking_words
            or self.blocked_exports
            or self.later_day
        )

    @property
    def has_blocking_words(self) -> bool:
        """Whether words were not recognised that scores depend on, or that no reference data knows."""
        return any(found.is_blocking for found in self.unrecognised)

    @property
    def blocked_exports(self) -> list[str]:
        """What was given nothing: blocked, failed, or given a later day before; deliveries among them."""
        return [*(profile for profile, *_ in self.not_exported), *self.blocked_deliveries]


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
        feeds=rows(_FEEDS, run_id=run_id, batch_id=batch_id),
        left_out=rows(_LEFT_OUT, batch_id=batch_id),
        files=rows(_FILES, run_id=run_id),
        unknown_columns=rows(_UNKNOWN_COLUMNS, run_id=run_id),
        schema_changes=rows(_SCHEMA_CHANGES, batch_id=batch_id),
        checks=rows(_CHECKS, run_id=run_id)[0],
        failed=rows(_FAILED, run_id=run_id),
        covered=rows(_COVERED)[0],
        used=[feed for (feed,) in rows(_USED)],
        deleted=rows(_DELETED, batch_id=batch_id),
        unjoined=rows(_UNJOINED),
        unknown_amounts=rows(_UNKNOWN_AMOUNTS),
        lookalike_ids=rows(_LOOKALIKE_IDS),
        to_choose=rows(_TO_CHOOSE)[0][0],
        blocked=rows(_BLOCKED, run_id=run_id),
        buckets=rows(_BUCKETS),
        decisions=rows(_DECISIONS),
        not_scored=rows(_NOT_SCORED),
        excluded=rows(_EXCLUDED)[0],
        unmatched=[row for (row,) in rows(_UNMATCHED)],
        at_risk=rows(_AT_RISK, most=MOST_AT_RISK),
        prospects=rows(_PROSPECTS, most=MOST_AT_RISK),
        asked=rows(_ASKED)[0],
        disagreement=next(iter(rows(_DISAGREEMENT)), None),
        actions=rows(_ACTIONS, end=end),
        exports=[(name, count, settings.exports / at) for name, count, at in rows(_EXPORTS, run_id=run_id)],
        not_in_files=dict(rows(_NOT_IN_FILES, run_id=run_id)),
        not_exported=rows(_NOT_EXPORTED, run_id=run_id),
        deliveries=rows(_DELIVERED, run_id=run_id) if _has_deliveries(con) else [],
        blocked_deliveries=blocked_deliveries(con, run_id),
        unknown_feeds=rows(_UNKNOWN_FEEDS, end=end),
        unrecognised=vocabulary.unrecognised(con, end),
        findings=[finding for (finding,) in rows(_FINDINGS)],
        rules_off=rows(_OFF),
        where_to_look=[
            ("Data Docs", state_dir(settings.warehouse) / "data_docs" / "index.html"),
            ("Copy for readers", settings.published / "radar.duckdb"),
            ("Exports", settings.exports),
            *([("Outbox", settings.exports / "outbox")] if (settings.exports / "outbox").is_dir() else []),
            *(("Why a score", _explain(account, settings)) for (account,) in rows(_EXAMPLE)),
        ],
        later_day=next((day for (day,) in rows(_LATER_DAY, end=end)), None),
    )


def text(summary: Summary, extracts: Path, notes: Sequence[str] = ()) -> str:
    """The summary as lines; `notes` are what steps left for it."""
    sections = [
        [*_landed(summary), *(f"  {note}" for note in notes)],
        _set_aside(summary.unknown_columns),
        _schema_changes(summary.schema_changes),
        _checked(summary),
        _gaps(summary, extracts),
        vocabulary.lines(summary.unrecognised),
        [*_scored(summary), *_not_scored(summary)],
        _most_at_risk(summary),
        _prospects(summary),
        _to_do(summary),
        _asked(summary),
        _exported(summary),
        _delivered(summary),
        _not_newest(summary),
        ["Where to look next", *(f"  {name:<18}{path}" for name, path in summary.where_to_look)],
    ]
    return "\n\n".join("\n".join(inert(line).rstrip() for line in lines) for lines in sections if lines)


def _explain(account_id: str, settings: Settings) -> str:
    """The command, as it can be pasted into a shell."""
    return shlex.join(["radar", "explain", account_id, "--published", str(settings.published)])


def _landed(summary: Summary) -> list[str]:
    """Rows in are rows landed, repeated, waiting and refused; then why, column by column."""
    columns = ("rows landed", "repeated", "waiting", "refused", "values refused")
    head = f"  {'feed':<24}" + "".join(f"{name:>16}" for name in columns)
    lines = [
        f"  {feed:<24}" + "".join(f"{count:>16,}" for count in counts) for feed, *counts in summary.feeds
    ]
    files = [f"  refused {message.replace(chr(10), f'{chr(10)}  ')}" for _, message in summary.files]
    return [
        "Landed",
        *([head, *lines] if lines else ["  nothing new has arrived"]),
        *(_left_out(line) for line in summary.left_out),
        *files,
    ]


def _left_out(line: tuple[str, str, str, str, int, str | None, str]) -> str:
    feed, what, column, rule, count, example, first = line
    done = "waiting" if rule == "unresolved_account" else "refused"
    named = what if count != 1 else what.removesuffix("s")
    of_column = f"{column} " if column else ""
    such = f", such as {example}" if example else ""
    return f"  {feed}: {count:,} {named} {done}, {of_column}{rule}{such} (first: {first})"


def _set_aside(columns: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Columns that no feed has: kept aside, read by nothing; each with the known name it resembles."""
    named: dict[str, list[str]] = {}
    for feed, column, nearest in columns:
        named.setdefault(feed, []).append(f"{column} (resembles {nearest})" if nearest else column)
    lines = [f"  {feed}: {', '.join(names)}" for feed, names in named.items()]
    return ["Columns set aside, because the feed has none of their names", *lines] if lines else []


def _schema_changes(changes: Sequence[tuple[str, str, str, int, int | None]]) -> list[str]:
    """What files of this run have otherwise than the first files of their feeds."""
    lines = []
    for feed, column, change, files, refused in changes:
        seen = counted(refused, "value") if refused is not None else counted(files, "file")
        lines.append(f"  {feed}: {change.replace('_', ' ')} {column} ({seen}, all runs)")
    return ["Changed since the first files of the feed", *lines] if lines else []


def _checked(summary: Summary) -> list[str]:
    passed, critical, other = summary.checks
    blocked_feeds = {feed for feed, _ in summary.blocked}
    return [
        f"Checked\n  {passed} passed, {critical} critical failed, {other} others failed",
        *(f"  blocked {feed}: {_with_remedy(reason)}" for feed, reason in summary.blocked),
        *(
            f"  {severity} {feed} {name}: {message}"
            for feed, name, severity, message in summary.failed
            if severity != "critical" or feed not in blocked_feeds
        ),
        *_coverage(summary),
    ]


def _with_remedy(reason: str) -> str:
    return reason if "What to do" in reason else f"{reason}. What to do: {REMEDY}"


def _coverage(summary: Summary) -> list[str]:
    """How many accounts the feeds speak of: one that has another id there looks like a quiet one."""
    scored, with_usage, with_billing = summary.covered
    counts = {
        "product/events": (with_usage, "usage (product/events)"),
        "billing/subscriptions": (with_billing, "a subscription (billing/subscriptions)"),
    }
    parts = [
        f"{100 * counts[feed][0] / scored:.0f} % ({counts[feed][0]:,}) have ever had {counts[feed][1]}"
        for feed in counts
        if feed in summary.used and scored
    ]
    lines = [f"  of {counted(scored, 'scored account')} {', '.join(parts)}"] if parts else []
    if summary.deleted:
        events = sum(count for _, count in summary.deleted)
        lines.append(
            f"  product/events: {counted(events, 'row')} arrived for"
            f" {counted(len(summary.deleted), 'deleted account')},"
            f" such as {summary.deleted[0][0]}."
            " What to do: say in crm/identities into which account they were merged"
        )
    return [*lines, *_unjoined(summary), *_lookalikes(summary), *_without_rate(summary)]


def _without_rate(summary: Summary) -> list[str]:
    """Amounts in other currencies of which it is not known what they are in USD."""
    return [
        f"  warning: {feed}: {counted(amounts, 'amount')} from {first} on,"
        f" {amount:,.2f} {currency} in all, {'is' if amounts == 1 else 'are'} not known in USD"
        f" (marts.rpt_unknown_amounts). What to do: {what_to_do}"
        for feed, currency, amounts, amount, first, what_to_do in summary.unknown_amounts
    ]


def _lookalikes(summary: Summary) -> list[str]:
    """Ids that differ in leading zeros or `.0` alone, which count as different ones."""
    lines = []
    for feed, column, other_feed, other_column, ids, rows, examples, what_to_do in summary.lookalike_ids:
        found = f"{counted(ids, 'id')} in {counted(rows, 'row')}"
        is_other = (other_feed, other_column) != (feed, column)
        where = f"spelled otherwise in {other_feed}" if is_other else "spelled in several ways"
        lines.append(
            f"  warning: {feed}: {column}: {found} {plural(ids, 'is', 'are')} {where}, such as"
            f" {examples}; they count as different ids (marts.rpt_lookalike_ids). What to do: {what_to_do}"
        )
    return lines


def _unjoined(summary: Summary) -> list[str]:
    """How much of each feed finds its account, where not all of it does; and what a person has to choose."""
    lines = []
    for feed, rows, rows_pct, users, users_pct, ids, ids_pct, largest, is_below in summary.unjoined:
        shares = [f"{rows_pct:.1f} % of {counted(rows, 'row')}"]
        shares += [f"{users_pct:.1f} % of {counted(users, 'user')}"] if users_pct is not None else []
        shares += [f"{ids_pct:.1f} % of {counted(ids, 'id')}"]
        lines.append(
            f"  {'warning: ' if is_below else ''}{feed}: {', '.join(shares)} find their account;"
            f" most rows wait for {largest}"
        )
    if lines:
        lines.append("    What to do: say in crm/identities whose these ids are (marts.rpt_unresolved_ids)")
    if summary.to_choose:
        what = "id may be" if summary.to_choose == 1 else "ids may each be"
        lines.append(
            f"  {summary.to_choose:,} {what} more than one account and counts for none."
            " What to do: choose on the page Who is who of the panel (marts.dim_account_links)"
        )
    return lines


def _gaps(summary: Summary, extracts: Path) -> list[str]:
    feeds = [
        f"  {feed} {_STATES[state].format(folder=extracts / feed, reason=reason)}"
        for feed, state, reason in summary.unknown_feeds
    ]
    return ["Feeds that scoring goes without", *feeds] if feeds else []


def _scored(summary: Summary) -> list[str]:
    buckets = ", ".join(f"{bucket} {count:,}" for bucket, count in summary.buckets)
    decisions = ", ".join(f"{decision} {count:,}" for decision, count in summary.decisions)
    return [
        f"Scored as of {summary.as_of}",
        f"  {buckets or 'no account'}",
        f"  {decisions}",
        *_findings(summary),
        *_rules_off(summary),
    ]


def _findings(summary: Summary) -> list[str]:
    """Why these buckets may say little: rules that do not distinguish accounts."""
    if not summary.findings:
        return []
    return [
        *(f"  warning: {finding}" for finding in summary.findings),
        "    What to do: look at points and thresholds in seeds/rules.csv and seeds/rule_conditions.csv, at"
        " rules that are off, or try another rule set (docs/starter-rules.md)",
    ]


def _rules_off(summary: Summary) -> list[str]:
    """What these buckets cannot see, because a feed is not used or no word is marked."""
    if not summary.rules_off:
        return []
    rule_set, *_, rules = summary.rules_off[0]
    verb = "is" if len(summary.rules_off) == 1 else "are"
    return [
        f"  {len(summary.rules_off)} of {rules} rules of {rule_set} {verb} off and outside coverage; unseen:",
        *(
            f"    {rule_id}: {signals} ({reasons})"
            for _, rule_id, _, signals, reasons, _ in summary.rules_off
        ),
    ]


def _not_scored(summary: Summary) -> list[str]:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in summary.not_scored)
    lines = [f"  not scored: {reasons} (marts.rpt_not_scored_accounts)"] if reasons else []
    users, contacts = summary.excluded
    if users or contacts:
        who = [f"{users:,} user{'s' * (users != 1)}"] if users else []
        who += [f"{contacts:,} contact{'s' * (contacts != 1)}"] if contacts else []
        lines.append(f"  not counted: what {' and '.join(who)} did (seeds/excluded.csv, marts.rpt_excluded)")
    if summary.unmatched:
        which = "row" if len(summary.unmatched) == 1 else "rows"
        lines.append(
            f"  seeds/excluded.csv: nothing matches {which} {', '.join(map(str, summary.unmatched))}."
            " What to do: correct the value, or take the row out"
        )
    return lines


def _most_at_risk(summary: Summary) -> list[str]:
    if not summary.at_risk:
        return ["No account is at risk or on watch"] if summary.buckets else []
    lines = []
    for account_id, name, score, low, high, bucket, is_overridden, is_marked, *reasons in summary.at_risk:
        by_hand = "  (bucket set by hand)" if is_overridden else ""
        by_hand += "  (no live subscription)" if is_marked else ""
        interval = f" ({low:g}-{high:g})" if low != high else ""
        who = f"{inert_value(account_id)}  {inert_value(name)}"
        lines.append(f"  {f'{score:g}{interval}':<12}{bucket:<9}{who}{by_hand}")
        lines.extend(f"{'':<23}{inert_value(reason)}" for reason in reasons if reason)
    return [f"The {len(summary.at_risk)} most at risk", *lines]


def _prospects(summary: Summary) -> list[str]:
    """Those that never bought anything, apart: what makes a customer risky is usual for them."""
    if not summary.prospects:
        return []
    count = summary.prospects[0][-1]
    return [
        f"Never bought anything, and at risk or on watch: {count:,} (marts.rpt_prospects)",
        *(
            f"  {score:<12g}{bucket:<9}{inert_value(account_id)}  {inert_value(name)}"
            for account_id, name, score, bucket, _ in summary.prospects
        ),
    ]


def _asked(summary: Summary) -> list[str]:
    queue, sign_offs, spot_checks = summary.asked
    lines = [
        f"  {counted(queue, 'account')} in the review queue,"
        f" {counted(sign_offs, 'sign-off that waits', 'sign-offs that wait')},"
        f" {counted(spot_checks, 'spot check of the week that waits', 'spot checks of the week that wait')}"
    ]
    if summary.disagreement:
        disagreed, answered, pct = summary.disagreement
        lines.append(
            f"  warning: people disagree with {disagreed:,} of"
            f" {counted(answered, 'spot check')} ({pct:.1f} %):"
            " look at marts.rpt_spot_checks, and at the rules of their flags"
        )
    return ["Asked of people", *lines]


def _to_do(summary: Summary) -> list[str]:
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for status, suppressed_by, count in summary.actions:
        counts[status] += count
        if status == "suppressed":
            reasons.update(dict.fromkeys((suppressed_by or "").split(", "), count))
    why = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
    suppressed = f"{counts['suppressed']:,} suppressed{f' ({why})' if why else ''}"
    return [
        f"Actions of {summary.as_of}",
        f"  {counts['ready']:,} ready, {counts['to_approve']:,} to approve, {suppressed}",
    ]


def _exported(summary: Summary) -> list[str]:
    return [
        "Exported",
        *(
            f"  {profile}: {counted(rows, 'row')} in {folder}"
            + (f"\n    {summary.not_in_files[profile]}" if profile in summary.not_in_files else "")
            for profile, rows, folder in summary.exports
        ),
        *(
            f"  {profile} {status}: {message.replace(chr(10), f'{chr(10)}  ')}"
            for profile, status, message in summary.not_exported
        ),
    ]


def _delivered(summary: Summary) -> list[str]:
    """What became of what was due, by channel."""
    lines = []
    for channel in sorted({channel for channel, *_ in summary.deliveries}):
        rows = [row for row in summary.deliveries if row[0] == channel]
        counts = ", ".join(
            f"{count:,} {_named(kind, count)} {_STATUSES[status]}" for _, _, kind, status, count in rows
        )
        is_outbox = any(carrier == "outbox" and kind != "draft" for _, carrier, kind, *_ in rows)
        lines.append(f"  {channel}: {counts}{' (no secret is set)' if is_outbox else ''}")
    for reason in summary.blocked_deliveries.values():
        lines.append(f"  nothing: {reason.replace(chr(10), f'{chr(10)}  ')}")
    return ["Delivered", *lines] if lines else []


def _not_newest(summary: Summary) -> list[str]:
    """Nothing leaves for a day that is not the newest: what people and systems know is newer."""
    if summary.later_day is None:
        return []
    return [
        "Not the newest day",
        f"  nothing was delivered or exported for {summary.as_of}: "
        f"the newest scored day is {summary.later_day}",
        f"  a later day that is wrong is taken back with: radar forget-day {summary.later_day}",
    ]


def _named(kind: str, count: int) -> str:
    return kind if count == 1 else _PLURALS.get(kind, f"{kind}s")


def _has_deliveries(con: duckdb.DuckDBPyConnection) -> bool:
    query = "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'audit' AND table_name = 'deliveries'"
    return bool(con.execute(query).fetchone() != (0,))
