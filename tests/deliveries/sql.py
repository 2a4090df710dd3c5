"""Runs the compiled models on a world of the tests, window by window, as a build does."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import duckdb

from radar.audit import delivery_ledger as ledger
from tests.oracle.actions import Delivery, Life, Limits, Told, World

MODELS = (
    "int_account_states",
    "int_scored_dates",
    "int_segment_rules",
    "int_stale_inputs",
    "int_value_caps",
    "int_account_stop_reasons",
    "int_contact_consents",
    "int_outreach_states",
    "int_episode_days",
    "int_play_stop_reasons",
    "int_stop_reasons",
    "int_action_days",
    "int_releasable_days",
    "int_action_releases",
    "int_action_hand_overs",
    "int_newest_action_days",
    "int_action_evidence",
    "fct_actions",
)
STORED = ("int_episode_days", "int_action_days", "int_action_releases")
"""Models that keep the rows of earlier builds by as-of date; the others but actions hold those of one."""
SENTINELS = (date(1999, 1, 1), date(1999, 1, 2))
INPUTS = (
    "marts.fct_health_history",
    "marts.fct_health_evidence",
    "intermediate.int_accounts__as_of",
    "signals.sig_billing",
    "intermediate.int_feed_states",
    "intermediate.int_signal_states",
    "staging.stg_crm__touchpoints",
    "staging.stg_crm__contacts",
    "intermediate.int_account_unknowns",
    "seeds.playbook",
    "intermediate.int_flood_guard",
    "intermediate.int_play_holdouts",
    "marts.fct_holdouts",
)
WHOLE = ("seeds.rules", "seeds.rule_conditions", "seeds.rule_sets", "seeds.signals", "seeds.settings")
KINDS = {"crm_task": "task", "mail_draft": "draft", "survey": "guide"}
NEW_DELIVERIES = ((), ("blocked",), ("attempting",), ("attempting", "failed"), ("attempting", "in_doubt"))
GIVEN = ("attempting", "delivered")
RULES_OF_FLAGS = {"payment_risk": "payment_risk", "churn_risk": "churn_risk", "upsell": "expansion_seats"}


@dataclass(frozen=True, repr=False)
class Models:
    """The warehouse whose tables give the columns, and the SQL of each model with sentinels for days."""

    warehouse: Path
    sql: dict[str, str]

    def __repr__(self) -> str:
        return f"the models of {self.warehouse}"


class Warehouse:
    """A small warehouse in memory: the inputs of the models, empty, and the models' own tables."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.con = duckdb.connect()
        self.con.execute(f"attach '{models.warehouse}' as demo (read_only)")
        self.con.execute("attach ':memory:' as warehouse")
        self.con.execute("use warehouse")
        for schema in ("marts", "signals", "intermediate", "staging", "seeds"):
            self.con.execute(f"create schema {schema}")
        for table in (*INPUTS, *(_table(name) for name in MODELS)):
            columns = self.con.execute(
                """
                select string_agg('"' || column_name || '" ' || data_type, ', ' order by column_index)
                from duckdb_columns()
                where database_name = 'demo' and schema_name || '.' || table_name = ?
                """,
                [table],
            ).fetchall()
            self.con.execute(f"create table {table} ({columns[0][0]})")
        for table in WHOLE:
            self.con.execute(f"create table {table} as select * from demo.{table}")
        self.con.execute("detach demo")
        ledger.create(self.con)

    def fill(self, world: World) -> None:
        """The inputs that do not depend on what has been recorded so far."""
        self._insert("seeds.playbook", (vars(play) | {"next_action": play.play} for play in world.playbook))
        limits = world.limits
        for setting, value in (
            ("high_value_arr_usd", limits.high_value),
            ("renewal_near_days", limits.renewal_near),
            ("steep_drop_points", limits.steep_drop),
            ("hysteresis_points", limits.hysteresis),
            ("quiet_days", limits.quiet_days),
            ("owner_weekly_actions", limits.weekly),
        ):
            self.con.execute("update seeds.settings set value = ? where setting = ?", [value, setting])
        touches = (
            {"touchpoint_id": str(n), "account_id": account, "owner_id": "own", "occurred_at": at}
            for n, (account, at) in enumerate(sorted(world.contacts))
        )
        self._insert("staging.stg_crm__touchpoints", touches)
        contacts = (
            {
                "contact_id": account,
                "account_id": account,
                "marketing_consent": True,
                "consent_updated_at": at,
            }
            for account, at in ((one, datetime.combine(day, time(23))) for one, day in world.consents.items())
        )
        self._insert("staging.stg_crm__contacts", contacts)
        refused = (
            {
                "account_id": account,
                "feed": "crm/contacts",
                "entity_key": account,
                "valid_from_date": day,
                "valid_to_date": date(9999, 12, 31),
            }
            for account, day in world.refused_contacts.items()
        )
        self._insert("intermediate.int_account_unknowns", refused)

    def tell(self, world: World, days: Sequence[date]) -> None:
        """Record these days as `world` has them, whatever was recorded before, and build once."""
        for table in INPUTS[:6]:
            self.con.execute(f"delete from {table} where as_of_date between ? and ?", [days[0], days[-1]])
        told = [(day, account, facts) for day in days for account, facts in world.told[day].items()]
        self._insert("marts.fct_health_history", (_history(*one) for one in told))
        segments = ({"account_id": account, "as_of_date": day} for day, account, _ in told)
        self._insert("intermediate.int_accounts__as_of", segments)
        self._insert("marts.fct_health_evidence", (row for one in told for row in _evidence(*one)))
        self._insert("signals.sig_billing", (_billing(*one) for one in told))
        unknown = world.unknown_contact_days
        self._insert(
            "intermediate.int_signal_states",
            (
                {
                    "signal": "days_since_contact",
                    "as_of_date": day,
                    "is_used": True,
                    "is_known": day not in unknown,
                }
                for day in days
            ),
        )
        consents = (
            {
                "feed": "crm/contacts",
                "as_of_date": day,
                "state": "held" if day in world.unknown_consent_days else "known",
            }
            for day in days
        )
        self._insert("intermediate.int_feed_states", consents)
        # a stale feed that one rule reads: whether an account's ledger holds that rule is up to the world
        feeds = ({"feed": "support/tickets", "as_of_date": day, "state": "stale"} for day in days)
        self._insert("intermediate.int_feed_states", feeds)
        self.build(days[0], days[-1])

    def build(self, start: date, end: date) -> None:
        """What the build does with the models: each window replaced, actions by their own strategy."""
        for name in MODELS:
            sql = (
                self.models.sql[name]
                .replace(str(SENTINELS[0]), str(start))
                .replace(str(SENTINELS[1]), str(end))
            )
            table = _table(name)
            self.con.execute(f"create or replace temp table built as {sql}")
            old = "true"
            if name in STORED:
                old = f"as_of_date between '{start}' and '{end}'"
            elif name == "fct_actions":
                old = f"as_of_date >= '{start}' or action_id in (select action_id from built)"
            self.con.execute(f"delete from {table} where {old}")
            self.con.execute(f"insert into {table} by name select * from built")

    def deliver(self, rng: random.Random, day: date) -> list[Delivery]:
        """Write down what a run after this day might: open actions given, refused, in doubt or found out."""
        found = self.con.execute(
            """
            select actions.action_id, account_id, play, channel, episode_started_on, last.status
            from marts.fct_actions as actions
            left join (
                select action_id, arg_max(status, sequence) as status from audit.deliveries group by action_id
            ) as last
                on actions.action_id = last.action_id
            where actions.status in ('ready', 'to_approve') and as_of_date = $day
            order by actions.action_id
            """,
            {"day": day},
        ).fetchall()
        written = []
        for action_id, account, play, channel, started, last in found:
            if last == "delivered":
                continue
            if last in ("attempting", "in_doubt"):
                statuses = rng.choice(((), ("delivered",), ("failed",), GIVEN))
            else:
                statuses = rng.choice((*NEW_DELIVERIES, GIVEN, GIVEN))
            for status in statuses:
                delivery = Delivery(account, play, started, KINDS[channel], status, day)
                self.con.execute(
                    """
                    insert into audit.deliveries by name
                    select (select count(*) from audit.deliveries) as sequence, $day as as_of_date,
                        $kind as kind, $kind || ':' || $action_id as delivery_key,
                        $action_id as action_id, $status as status
                    """,
                    {"day": day, "kind": delivery.kind, "action_id": action_id, "status": status},
                )
                written.append(delivery)
        return written

    def actions(self) -> set[tuple[Any, ...]]:
        """The rows of fct_actions in the columns of `expected`."""
        return set(
            self.con.execute(
                """
                select account_id, play, status, coalesce(suppressed_by, ''), mode,
                    episode_started_on, released_on, due_at, ended_on, as_of_date, owner_id
                from marts.fct_actions
                """
            ).fetchall()
        )

    def _insert(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            names = ", ".join(row)
            marks = ", ".join("?" for _ in row)
            self.con.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def expected(life: Life) -> set[tuple[Any, ...]]:
    """The same rows as the plain reading has them."""
    return {
        (
            action.account,
            action.play.play,
            action.status,
            ", ".join(action.holds),
            action.mode,
            action.started,
            action.released,
            action.due,
            action.ended,
            action.as_of,
            action.owner,
        )
        for action in life.actions
    }


def _table(name: str) -> str:
    return f"{'marts' if name.startswith('fct') else 'intermediate'}.{name}"


def _history(day: date, account: str, facts: Told) -> dict[str, Any]:
    return {
        "account_id": account,
        "as_of_date": day,
        "owner_id": facts.owner,
        "score": facts.score,
        "bucket": facts.bucket,
        "decision": facts.decision,
        "conflict_reason": "Two say otherwise" if facts.decision == "conflict" else None,
        "unknown_signals": "days_since_login" if facts.decision == "undecided" else None,
        "is_overridden": facts.is_overridden,
        "review_rules": "A competitor was named" if facts.asks_review else None,
        "flags": ", ".join(sorted(facts.flags)) or None,
        "arr_usd": facts.arr,
    }


def _evidence(day: date, account: str, facts: Told) -> Iterable[dict[str, Any]]:
    found = [(RULES_OF_FLAGS[flag], "true", flag) for flag in facts.flags]
    found += [(RULES_OF_FLAGS[flag], "unknown", flag) for flag in facts.unknown_flags]
    if facts.reads_stale:
        found.append(("fast_resolution", "unknown", None))
    for rule_id, result, flag in found:
        yield {"account_id": account, "as_of_date": day, "rule_id": rule_id, "result": result, "flag": flag}


def _billing(day: date, account: str, facts: Told) -> dict[str, Any]:
    return {"account_id": account, "as_of_date": day, "days_to_renewal": facts.days_to_renewal}


def limits_of_the_project(**changes: int) -> Limits:
    """The shipped numbers, as the contract's readers know them."""
    shipped = {
        "high_value": 50000,
        "renewal_near": 90,
        "steep_drop": 15,
        "hysteresis": 10,
        "quiet_days": 7,
        "weekly": 25,
    }
    return Limits(**(shipped | changes))
