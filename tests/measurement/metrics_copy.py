"""What weekly metrics and the audits of rules and signals read besides scores, made up at random."""

from __future__ import annotations

import random
from datetime import date, datetime, time, timedelta
from pathlib import Path

import duckdb

from radar.measurement.models import INPUT, MODELS, PUBLISHED, compile_model
from tests.measurement.company_copy import fill, publish
from tests.oracle.measurement import Company
from tests.oracle.metrics import Action, Work

METRICS = (
    "int_weekly_outcomes",
    "int_weekly_retention",
    "int_weekly_work",
    "int_weekly_outreach",
    "rpt_health_metrics_weekly",
    "rpt_retention_cohorts",
    "rpt_bucket_outcomes",
    "int_rule_observations",
    "int_rule_auc",
    "int_rule_lead_times",
    "int_rule_rates",
    "rpt_rule_audit",
    "int_signal_observations",
    "int_signal_rates",
    "rpt_signals_by_outcome",
)
"""The models under test, each after what it reads."""

MADE_UP = {
    "fct_actions": "marts.fct_actions",
    "int_reviews": "marts.int_reviews",
    "fct_account_flags": "marts.fct_account_flags",
    "fct_health_evidence": "marts.fct_health_evidence",
    "fct_signal_values": "marts.fct_signal_values",
    "rules": "seeds.rules",
}
VARIABLES = {"horizons": [30, 60, 90], "slice": "'all'", "expansion_flag": "upsell"}

_TABLES = """
alter table marts.fct_health_history add column bucket varchar;
alter table marts.fct_health_history add column is_overridden boolean;
alter table marts.fct_health_history add column base_score decimal(18, 6);
alter table marts.fct_health_history add column points decimal(18, 6);
create table marts.fct_actions (
    action_id varchar, account_id varchar, owner_id varchar, channel varchar, released_on date,
    due_at timestamp, ended_on date
);
create table marts.int_reviews (action_id varchar, kind varchar, verdict varchar, reviewed_at timestamp);
create table marts.fct_account_flags (account_id varchar, as_of_date date, flag varchar);
create table marts.fct_health_evidence (
    account_id varchar, as_of_date date, rule_set varchar, rule_id varchar, result varchar,
    points decimal(18, 6), title varchar
);
create table marts.fct_signal_values (
    account_id varchar, as_of_date date, signal varchar, value double, is_known boolean
);
create table seeds.rules (rule_set varchar, rule_id varchar, segment varchar, title varchar);
create temp table made_up (
    account_id varchar, as_of_date date, segment varchar, is_overridden boolean, total decimal(18, 6)
);
"""
RULES = {"quiet": -20.0, "unpaid": -40.0, "praise": 5.0, "grows": 0.0, "never": -10.0}


def work(seed: int, company: Company) -> Work:
    """The same for the same seed: rules that fire for days on end, actions done around their due dates."""
    rng = random.Random(seed + 1000)
    made = Work(rules=tuple(RULES))
    signals: dict[str, dict[tuple[str, date], float | None]] = {"logins": {}, "nps": {}}
    firing: dict[str, set[str]] = {}
    fired: dict[tuple[str, date], dict[str, float]] = {}
    totals: dict[tuple[str, date], float] = {}
    segments: dict[str, str] = {}
    for score in sorted(company.scores, key=lambda one: (one.account_id, one.day)):
        key = (score.account_id, score.day)
        segments.setdefault(score.account_id, rng.choice(("smb", "smb", "enterprise")))
        on = firing.setdefault(score.account_id, set())
        for rule in RULES:
            if rule != "never" and rng.random() < 0.15:
                on ^= {rule}
        fired[key] = {rule: RULES[rule] for rule in on}
        totals[key] = score.score + (rng.choice((-15.0, 0.0, 25.0)) if score.score in {0.0, 100.0} else 0.0)
        if rng.random() < 0.1:
            made.overridden.add(key)
        if rng.random() < 0.1:
            made.to_expand.add(key)
        signals["logins"][key] = rng.choice((0, 0, 0, 1, 2, 5, 9)) + score.score // 20
        if rng.random() < 0.6:
            signals["nps"][key] = rng.choice((None, -100.0, 0.0, 50.0))
    made.signals, made.fired, made.totals, made.segments = signals, fired, totals, segments
    made.actions = tuple(
        _action(rng, number, score.account_id, score.day)
        for number, score in enumerate(company.scores)
        if rng.random() < 0.1
    )
    return made


def _action(rng: random.Random, number: int, account: str, day: date) -> Action:
    due = datetime.combine(day + timedelta(days=rng.choice((1, 3, 6))), time(12))
    return Action(
        action_id=f"action{number}",
        account_id=account,
        owner_id=rng.choice(("olga", "omar", None)),
        channel=rng.choice(("crm_task", "crm_task", "slack_alert")),
        released_on=rng.choice((day, day, None)),
        due_at=rng.choice((due, due, None)),
        ended_on=rng.choice((None, due.date(), due.date() + timedelta(days=1))),
        done_at=rng.choice((None, due, due + timedelta(seconds=1), due - timedelta(days=1))),
    )


def measure(company: Company, made: Work, file: Path) -> duckdb.DuckDBPyConnection:
    """All models of METRICS over the company, as tables; the connection is the caller's to close."""
    con = duckdb.connect(str(publish(company, file)))
    con.execute("set timezone = 'UTC'")
    con.begin()
    con.execute(_TABLES)
    fill(
        con,
        "made_up",
        [(*key, made.segments[key[0]], key in made.overridden, total) for key, total in made.totals.items()],
    )
    con.execute(
        """
        update marts.fct_health_history as history
        set
            bucket = model_bucket, segment = made_up.segment, is_overridden = made_up.is_overridden,
            base_score = 100, points = made_up.total - 100
        from made_up
        where history.account_id = made_up.account_id and history.as_of_date = made_up.as_of_date
        """
    )
    fill(
        con,
        "marts.fct_actions",
        [
            (
                one.action_id,
                one.account_id,
                one.owner_id,
                one.channel,
                one.released_on,
                one.due_at,
                one.ended_on,
            )
            for one in made.actions
        ],
    )
    fill(
        con,
        "marts.int_reviews",
        [(one.action_id, "action", "done", one.done_at) for one in made.actions if one.done_at],
    )
    fill(con, "marts.fct_account_flags", [(*key, "upsell") for key in sorted(made.to_expand)])
    fill(
        con,
        "marts.fct_health_evidence",
        [
            (*key, "playbook_v1", rule, "true", points, f"title of {rule}")
            for key, found in made.fired.items()
            for rule, points in found.items()
        ],
    )
    fill(con, "seeds.rules", [("playbook_v1", rule, None, f"title of {rule}") for rule in made.rules])
    fill(
        con,
        "marts.fct_signal_values",
        [
            (score.account_id, score.day, signal, values.get((score.account_id, score.day)), True)
            for signal, values in made.signals.items()
            for score in company.scores
        ],
    )
    con.execute(
        f"""
        create view {INPUT} as
        select
            account_id, as_of_date, owner_id, segment, rule_set, score, model_bucket as bucket, decision,
            arr_usd
        from marts.fct_health_history
        """
    )
    relations = {**PUBLISHED, **MADE_UP, **{name: name for name in (INPUT, *MODELS, *METRICS)}}
    for name in (*MODELS, *METRICS):
        con.execute(f"create table {name} as {compile_model(name, VARIABLES, relations)}")
    con.commit()
    return con
