"""What a change costs: each is made in a copy of the project and its files counted; one run has them all.

The company was scored the day before by the project as it ships, so every change meets a warehouse with a
past.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from radar.core.project import PROJECT
from tests.frozen import SEEDS
from tests.runs.radar_run import Place
from tests.runs.test_words import ACCOUNTS, AS_OF, EVENT, company, events

pytestmark = pytest.mark.slow

DAY_BEFORE = "2026-11-26"
RADAR = "from radar.cli.main import main; main()"
CONTRACTS = "from radar.landing.contract_files import main; main()"
SIGNALS = "dbt_project/models/signals"
HEALTH = "dbt_project/models/marts/health"
CALLS = """\
description: Calls of the phone system.
key: [call_id]
precedence: last_landed
max_age_days: 7
event_times: [called_at]
constant_per_key: [account_id]
columns:
  call_id: {description: The call's id., type: id, required: true, pii: none, example: c1}
  account_id: {description: The account that called., type: id, required: true, pii: none, example: a1}
  minutes: {description: Its length in minutes., type: int, min: 0, example: 5}
  called_at: {description: "When it began, in UTC.", type: timestamp, required: true, example: 2026-03-01}
"""
STAGING = """\
{{ newest_version(
    source('phone', 'calls'),
    key=['call_id'],
    columns=['call_id', 'account_id', 'minutes', 'called_at']
) }}
"""
MINUTES = """\
call_minutes as (

    select
        calls.account_id,
        dates.as_of_date,
        sum(calls.minutes) as call_minutes_30d
    from dates
    inner join {{ ref('stg_phone__calls') }} as calls
        on cast(calls.called_at as date) between {{ add_days('dates.as_of_date', -29) }} and dates.as_of_date
    group by calls.account_id, dates.as_of_date

),

final as ("""
MINUTES_JOIN = """\
    left join call_minutes
        on
            accounts.account_id = call_minutes.account_id
            and accounts.as_of_date = call_minutes.as_of_date

)
"""
DESK = """\
name: support_desk
destination: the support desk
vendor: any
object: table
source: marts.rpt_account_health
key: account_id
label: account_name
acknowledge: on_write
removed: {radar_bucket: not_scored}
dialect: {encoding: utf-8, delimiter: ";", line_ending: lf, null_token: "", date_format: "%Y-%m-%d",
          true_token: "yes", false_token: "no", list_separator: ","}
limits: {rows_per_file: 50000, bytes_per_file: 10000000}
import_settings: {}
columns:
  - {source: account_id, header: external_id}
  - {source: bucket, header: radar_bucket}
"""


@dataclass
class Copy:
    """A copy of the project, and the files that each change has touched by hand."""

    folder: Path
    touched: dict[str, set[str]] = field(default_factory=dict)
    change: str = ""

    def begin(self, change: str) -> None:
        self.change = change
        self.touched[change] = set()

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        self.touched[self.change].add(path)

    def add_row(self, seed: str, row: str) -> None:
        file = self.folder / "seeds" / f"{seed}.csv"
        self.write(f"seeds/{seed}.csv", file.read_text(encoding="utf-8") + row + "\n")

    def edit(self, path: str, *edits: tuple[str, str]) -> None:
        """Replace the last place of each text."""
        text = (self.folder / path).read_text(encoding="utf-8")
        for old, new in edits:
            before, found, after = text.rpartition(old)
            assert found, f"{path} has no {old!r}"
            text = before + new + after
        self.write(path, text)

    def call(self, code: str, *arguments: str) -> str:
        """What Python of the copy prints."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def add_an_event_signal(copy: Copy) -> None:
    copy.begin("event signal")
    copy.add_row("product_events", "invoice_viewed,false,false,false,false,,billing_view")
    copy.add_row(
        "signals",
        "billing_views_60d,adoption,events,product/events,false,invoices viewed in 60 days,"
        "Views of an invoice in the last 60 days,billing_view,events,60,higher_is_better",
    )


def add_a_feed_with_a_signal(copy: Copy) -> None:
    copy.begin("feed with a signal")
    copy.write("feeds/contract/phone__calls.yml", CALLS)
    copy.write("dbt_project/models/staging/phone/stg_phone__calls.sql", STAGING)
    copy.add_row("feeds", "phone/calls,true,7,")
    copy.edit(
        f"{SIGNALS}/sig_sentiment.sql",
        ("'pulse_latest']", "'pulse_latest', 'call_minutes_30d']"),
        ("final as (", MINUTES),
        (
            "{{ if_known('pulse_latest', 'cast(recent_pulses.pulse_latest as double)') }}",
            "{{ if_known('pulse_latest', 'cast(recent_pulses.pulse_latest as double)') }},\n"
            "        {{ if_known('call_minutes_30d', 'coalesce(call_minutes.call_minutes_30d, 0)') }}",
        ),
        (")\n\nselect * from final", MINUTES_JOIN + "\nselect * from final"),
    )
    label, meaning = "minutes on the phone in 30 days", "Minutes of calls in the last 30 days"
    copy.add_row(
        "signals",
        f"call_minutes_30d,sentiment,minutes,phone/calls,false,{label},{meaning},,,,lower_is_better",
    )
    described = f'      - {{name: call_minutes_30d, description: "{meaning} (minutes)"}}\n'
    copy.edit(
        f"{SIGNALS}/_signals.yml", ("      - {name: pulse_latest", described + "      - {name: pulse_latest")
    )


def add_a_signal_of_another_kind(copy: Copy) -> None:
    copy.begin("signal in SQL")
    count = "{{ if_known('active_champions', 'cast(coalesce(intervals.champions, 0) as bigint)') }}"
    copy.edit(
        f"{SIGNALS}/sig_relationship.sql",
        ("'has_active_champion']", "'has_active_champion', 'active_champions']"),
        (") }}\n    from accounts", f") }}}},\n        {count}\n    from accounts"),
    )
    meaning = "Champions and sponsors that are active"
    described = f'      - {{name: active_champions, description: "{meaning} (contacts)"}}\n'
    copy.edit(
        f"{SIGNALS}/_signals.yml",
        ("      - {name: has_active_champion", described + "      - {name: has_active_champion"),
    )
    copy.add_row(
        "signals",
        f"active_champions,relationship,contacts,crm/contacts,false,active champions,{meaning},,,,",
    )


def add_a_rule(copy: Copy) -> None:
    copy.begin("rule")
    copy.add_row(
        "rules",
        "playbook_v1,many_calls,,points,-7,false,,,,,,false,Calls a lot,"
        "{value_1} minutes on the phone (limit {threshold_1}),",
    )
    copy.add_row("rule_conditions", "playbook_v1,many_calls,,1,call_minutes_30d,>=,60,")


def add_a_destination(copy: Copy) -> None:
    copy.begin("destination")
    copy.write("exports/profiles/support_desk.yml", DESK)
    copy.add_row("destinations", "support_desk,true")


def add_a_column(copy: Copy) -> None:
    copy.begin("column of rpt_account_health")
    copy.edit(
        f"{HEALTH}/rpt_account_health.sql",
        ("        today.rule_version\n", "        today.rule_version,\n        accounts.created_date\n"),
    )
    models = copy.folder / HEALTH / "_health.yml"
    before, head, after = models.read_text(encoding="utf-8").partition("  - name: rpt_account_health\n")
    text = before + head + after.replace(
        "      - name: account_name\n",
        "      - name: created_date\n        data_type: date\n"
        '        description: "Day on which the account was created"\n      - name: account_name\n',
        1,
    )  # fmt: skip
    copy.write(f"{HEALTH}/_health.yml", text)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A company that was scored on the day before, as the project ships."""
    made = Place(tmp_path_factory.mktemp("company"))
    views = [
        f"v{day},acc_01,u1,Invoice Viewed,{day}T09:00:00Z," for day in ("2026-10-10", "2026-11-21")
    ]  # of the first, the raw row is purged before the signal exists
    company(made, {"product/events": (EVENT, [*events({"login": "u1", "report_created": "u1"}), *views])})
    seeds = made.folder / "seeds"
    made.run(f"--seeds={seeds}", f"--as-of={DAY_BEFORE}", status=3)  # nobody has said what the name means
    return made


@pytest.fixture(scope="module")
def copy(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """The copy with all changes, after its run on the next day."""
    folder = tmp_path_factory.mktemp("changed") / "radar"
    ignored = shutil.ignore_patterns("__pycache__", "target", "logs")
    for part in ("radar", "orchestration", "dbt_project", "feeds", "expectations", "exports", "docs"):
        shutil.copytree(PROJECT / part, folder / part, ignore=ignored)
    shutil.copytree(SEEDS, folder / "seeds")
    shutil.copy(place.folder / "seeds" / "feeds.csv", folder / "seeds")
    changed = Copy(folder)
    for add in (
        add_an_event_signal,
        add_a_feed_with_a_signal,
        add_a_signal_of_another_kind,
        add_a_rule,
        add_a_destination,
        add_a_column,
    ):
        add(changed)
    changed.call(CONTRACTS)  # `make contracts`
    calls = place.extracts / "phone/calls/a.csv"
    calls.parent.mkdir(parents=True)
    rows = [
        f"c{account},{account},{10 * number},2026-11-20T09:00:00Z" for number, account in enumerate(ACCOUNTS)
    ]
    calls.write_text("\n".join(["call_id,account_id,minutes,called_at", *rows]) + "\n")
    paths = [f"--{name}={getattr(place, name)}" for name in ("extracts", "warehouse", "published", "exports")]
    assert changed.call(RADAR, "rules", "check") == "The rules are sound.\n"
    changed.call(RADAR, "run", *paths, f"--as-of={AS_OF}")
    return changed


def test_each_change_touches_no_more_files_than_is_promised(copy: Copy) -> None:
    """What `make contracts` and the pages of signals and rules write is generated, and not counted."""
    assert {change: len(files) for change, files in copy.touched.items()} == {
        "event signal": 2,
        "feed with a signal": 6,
        "signal in SQL": 3,
        "rule": 2,
        "destination": 2,
        "column of rpt_account_health": 2,
    }


def test_an_event_signal_is_computed_from_events_that_came_before_it(copy: Copy, place: Place) -> None:
    assert place.rows("select min(occurred_at)::date::text from raw.product_events") > [("2026-10-10",)]
    views = "select billing_views_60d from signals.sig_adoption where account_id = '{}' and as_of_date = '{}'"
    assert place.rows(views.format("acc_01", AS_OF)) == [(2,)]
    assert place.rows(views.format("acc_02", AS_OF)) == [(0,)]


def test_a_feed_of_ones_own_lands_and_gives_a_signal(copy: Copy, place: Place) -> None:
    minutes = f"select account_id, call_minutes_30d from signals.sig_sentiment where as_of_date = '{AS_OF}'"
    assert dict(place.rows(minutes)) == {account: 10 * number for number, account in enumerate(ACCOUNTS)}
    labels = "select label from seeds.signals where signal = 'call_minutes_30d'"
    with duckdb.connect(str(place.published / "radar.duckdb"), read_only=True) as con:
        assert con.execute(labels).fetchall() == [("minutes on the phone in 30 days",)]


def test_a_signal_in_sql_is_a_value_like_any_other(copy: Copy, place: Place) -> None:
    values = (
        "select as_of_date::text, count(*) from scoring.fct_signal_values"
        " where signal = 'active_champions' and value = 1 group by all"
    )
    assert (AS_OF, len(ACCOUNTS)) in place.rows(values)


def test_a_rule_fires_on_the_signal_of_the_feed(copy: Copy, place: Place) -> None:
    evidence = (
        "select account_id, evidence from marts.fct_health_evidence"
        " where rule_id = 'many_calls' and result = 'true' order by 1 limit 1"
    )
    assert place.rows(evidence) == [("acc_07", "60 minutes on the phone (limit 60) (-7 points)")]


def test_a_destination_gets_its_file_and_a_column_follows_into_the_generic_one(
    copy: Copy, place: Place
) -> None:
    (desk,) = place.exports.glob("support_desk/*/support_desk_*.csv")
    assert desk.read_text().splitlines()[0] == "external_id;radar_bucket"
    newest = max(place.exports.glob("generic/*/manifest.json"), key=lambda path: path.stat().st_mtime_ns)
    (rows,) = json.loads(newest.read_text())["files"]
    with (newest.parent / rows["name"]).open(encoding="utf-8", newline="") as file:
        created = {row["account_id"]: row["created_date"] for row in csv.DictReader(file)}
    assert created == dict.fromkeys(ACCOUNTS, "2025-01-15")
