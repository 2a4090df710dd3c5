"""A warehouse with just what deliveries read, and a clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Template

from radar.audit.delivery_ledger import QUERIES
from radar.core.project import PROJECT
from radar.deliveries.deliveries import Clock, Deliveries, Report
from radar.deliveries.settings import Destinations

DAY = date(2026, 3, 13)
_MODELS = PROJECT / "dbt_project" / "models"
_MACROS = PROJECT / "dbt_project" / "macros"
SCHEMA = """
create schema marts; create schema outbound; create schema staging; create schema signals;
create schema seeds; create schema intermediate;
create table seeds.settings (setting varchar, value double);
insert into seeds.settings values ('digest_above', 3), ('mail_activity_days', 90), ('urgent_priority', 30);
create table marts.fct_health_history (account_id varchar, as_of_date date);
create table marts.fct_actions (
    action_id varchar, account_id varchar, owner_id varchar, play varchar, channel varchar, who varchar, mode
    varchar, mode_reason varchar, next_action varchar, priority bigint, status varchar, suppressed_by varchar,
    trigger varchar, bucket varchar, flag varchar, evidence varchar, rule_set varchar, rule_version varchar,
    episode_started_on date, released_on date, due_at timestamp, ended_on date, as_of_date date
);
create table marts.rpt_account_health (
    account_id varchar, account_name varchar, owner_id varchar, owner_name varchar, as_of_date date, score
    double, score_low double, score_high double, bucket varchar, decision varchar, segment
    varchar, is_overridden boolean,
    override_reason varchar, trend varchar, reason_1 varchar, reason_2 varchar, reason_3 varchar, reason_4
    varchar, reason_rules varchar, rule_set varchar,
    flags varchar, next_action varchar, needs_review boolean, coverage_pct double, arr_usd double,
    days_to_renewal bigint
);
create table marts.fct_health_evidence (
    account_id varchar, as_of_date date, rule_set varchar, rule_id varchar, rule_number bigint, result
    varchar, points double
);
create table seeds.rules (rule_set varchar, rule_id varchar, segment varchar, guidance varchar);
create table signals.sig_usage (
    account_id varchar, as_of_date date, days_since_login bigint, active_days_7d bigint
);
create table intermediate.int_mail_details (
    account_id varchar, language varchar, product_name varchar, first_day date, last_day date,
    booking_url varchar, active_people bigint, active_days bigint, logins bigint, features
    bigint, top_feature varchar, top_feature_uses bigint
);
create table staging.stg_crm__accounts (
    account_id varchar, name varchar, language varchar, version_at timestamp
);
create table intermediate.int_account_urls (account_id varchar, object varchar, label varchar, url varchar);
create table staging.stg_crm__owners (
    owner_id varchar, name varchar, email varchar, slack_user_id varchar, deleted_date date
);
create table staging.stg_crm__contacts (
    contact_id varchar, account_id varchar, email varchar, full_name varchar, role varchar, is_active boolean,
    language varchar,
    marketing_consent boolean, consent_updated_at timestamp, created_at timestamp, updated_at timestamp,
    deleted_date date
);
create table intermediate.int_account_unknowns (
    account_id varchar, feed varchar, entity_key varchar, valid_from_date date, valid_to_date date
);
create table intermediate.int_reviews (
    review_id varchar, action_id varchar, kind varchar, verdict varchar, until_date date,
    account_id varchar, reason varchar, reviewed_by varchar,
    edited_subject varchar, edited_text varchar, reviewed_at timestamp
);
insert into staging.stg_crm__owners values ('1001', 'Ruth Okafor', 'ruth@house.example', 'U0RUTH', null);
"""


_SCHEMAS = {"stg": "staging", "sig": "signals", "fct": "marts", "rpt": "marts", "int": "intermediate"}


def _schema(name: str) -> str:
    """The schema of a model or seed."""
    if (_MODELS / "outbound" / f"{name}.sql").exists():
        return "outbound"
    return _SCHEMAS.get(name[:3], "seeds") if name[3:4] == "_" else "seeds"


def _view(name: str) -> str:
    """A view that is a model, over the tables of this warehouse, with the macros of the project."""
    (file,) = _MODELS.rglob(f"{name}.sql")
    macros = "".join((_MACROS / f"{macro}.sql").read_text() for macro in MACROS)
    sql = Template(macros + file.read_text()).render(
        ref=lambda model: f"{_schema(model)}.{model}",
        source=lambda schema, table: f"{schema}.{table}",
        as_of_end=lambda: "(select max(as_of_date) from marts.rpt_account_health)",
        add_days=lambda day, days: f"cast({day} + cast({days} as integer) as date)",
    )
    return f"create view {_schema(name)}.{name} as {sql};"


MACROS = ("not_deleted_by", "setting")
VIEWS = (
    "int_contact_consents",
    "int_mail_contacts",
    "rpt_open_actions",
    "rpt_mail_facts",
    "int_action_verdicts",
    "int_delivery_states",
    "int_messages",
    "int_message_accounts",
    "int_slack_threads",
    "rpt_due_deliveries",
    "rpt_due_mentions",
)
SCHEMA += f"{QUERIES['create']}; {''.join(map(_view, VIEWS))}"
CHANNELS = {
    "alert": "slack_alert",
    "task": "crm_task",
    "mail": "mail_draft",
    "guide": "in_app_guide",
}
NAME = 'Größe & <Sons> "x" مجموعة 🚀'


@dataclass
class Company:
    """One installation; `run` is one run of it."""

    con: duckdb.DuckDBPyConnection
    exports: Path
    settings: Destinations = field(default_factory=Destinations)
    now: datetime = datetime(2026, 3, 14, 5)
    day: date = DAY
    slept: list[float] = field(default_factory=list)
    is_wanted: Callable[[], bool] = lambda: False
    runs: int = 0

    def act(self, kind: str, number: int, **values: Any) -> str:
        """An action that is ready today, of an account of its own; its id."""
        action_id, account_id = f"{kind}{number:02}", f"acc-{number:02}"
        row = {
            "action_id": action_id,
            "account_id": account_id,
            "owner_id": "1001",
            "play": f"{kind}_play",
            "channel": CHANNELS[kind],
            "who": "owner",
            "mode": "automatic",
            "next_action": "Call the sponsor",
            "priority": 20,
            "status": "ready",
            "trigger": "bucket at_risk",
            "bucket": "at_risk",
            "evidence": "No login for 25 days (limit 14) (-20 points)",
            "episode_started_on": date(2026, 3, 10),
            "released_on": date(2026, 3, 11),
            "due_at": datetime(2026, 3, 15),
            "as_of_date": self.day,
        } | values
        self._insert("marts.fct_actions", row)
        query = "select 1 from marts.rpt_account_health where account_id = ?"
        if not self.con.execute(query, [row["account_id"]]).fetchone():
            self.account(row["account_id"])
        return action_id

    def account(self, account_id: str, **values: Any) -> None:
        """An account as it was scored today, with a contact who consented and one who did not."""
        row = {
            "account_id": account_id,
            "account_name": NAME,
            "owner_id": "1001",
            "owner_name": "Ruth Okafor",
            "as_of_date": self.day,
            "score": 35.0,
            "score_low": 35.0,
            "score_high": 35.0,
            "bucket": "at_risk",
            "decision": "decided",
            "is_overridden": False,
            "reason_1": "No login for 25 days (limit 14) (-20 points)",
            "arr_usd": 12_000.0,
            "days_to_renewal": 40,
        } | values
        self._insert("marts.rpt_account_health", row)
        for year, name in ((2024, "Earlier name"), (2025, NAME)):
            version = {"account_id": account_id, "name": name, "version_at": datetime(year, 1, 1)}
            self._insert("staging.stg_crm__accounts", version)
        self._insert("marts.fct_health_history", {"account_id": account_id, "as_of_date": self.day})
        for weeks in range(4):
            at = self.day - timedelta(days=7 * weeks)
            self._insert(
                "signals.sig_usage",
                {"account_id": account_id, "as_of_date": at, "days_since_login": 25, "active_days_7d": weeks},
            )
        contact = {"account_id": account_id, "is_active": True, "role": "admin", "full_name": "Łucja Zając"}
        for number, consents in enumerate((False, True)):
            email = f"{'yes' if consents else 'no'}@{account_id}.example"
            self._insert(
                "staging.stg_crm__contacts",
                contact | {"contact_id": f"c{number}", "email": email, "marketing_consent": consents},
            )

    def say(self, action_id: str, verdict: str, **edited: str) -> None:
        """What a person answers; `edited`: subject and text in place of the draft's."""
        self._insert(
            "intermediate.int_reviews",
            {
                "review_id": f"{action_id}{verdict}",
                "action_id": action_id,
                "kind": "action",
                "verdict": verdict,
                "reviewed_at": self.now,
                **edited,
            },
        )

    def do(self, sql: str) -> None:
        self.con.execute(sql)

    def run(self, channel: str, *, at: timedelta = timedelta(days=1)) -> Report:
        """One run that delivers a channel; `at` after the run before."""
        self.now += at
        self.runs += 1
        clock = Clock(lambda: self.now, self._sleep, lambda: 0.0)
        run_id = f"run{self.runs}"
        work = Deliveries(self.con, self.exports, run_id, self.day, self.settings, clock, self.is_wanted)
        return work.deliver(channel)

    def next_day(self) -> None:
        """The same actions and accounts, scored a day later."""
        self.day += timedelta(days=1)
        open_ = "status in ('ready', 'to_approve', 'suppressed')"
        self.do(f"update marts.fct_actions set as_of_date = '{self.day}' where {open_}")
        self.do(f"update marts.rpt_account_health set as_of_date = '{self.day}'")
        self.do(
            "insert into marts.fct_health_history "
            f"select distinct account_id, '{self.day}' from marts.rpt_account_health"
        )

    def states(self) -> dict[str, str]:
        """What became of each delivery last."""
        rows = self.con.execute(
            "select delivery_key, arg_max(status, sequence) from audit.deliveries group by 1"
        ).fetchall()
        return dict(rows)

    def outbox(self, channel: str) -> list[Path]:
        """The files of the outbox of a channel."""
        return sorted((self.exports / "outbox" / channel).glob("*/*"))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        names = ", ".join(row)
        self.con.execute(
            f"insert into {table} ({names}) values ({', '.join('?' * len(row))})", list(row.values())
        )
