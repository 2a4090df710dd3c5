"""The chain through whole runs: each thing once, a broken chain before anything goes out, kills."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest

from radar.audit.chain import KEY_VARIABLE
from radar.demo import generate
from tests.frozen import SEEDS
from tests.runs.radar_run import Place, radar

DAY = "--as-of=2026-06-30"

KILLED = """
import os, signal
from radar.audit import chain
from radar.cli import main as cli
step, calls = chain.Chain.{step}, []
def second(*arguments):
    calls.append(arguments)
    if len(calls) == 2:  # the first is before the copy is published
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments)
chain.Chain.{step} = second
cli.main()
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("first"))
    generate(place.extracts, accounts=80, days=60, seed=3, end=date(2026, 6, 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(KEY_VARIABLE, raising=False)
        place.run(DAY)
    return place


@pytest.fixture
def place(first: Place, tmp_path: Path) -> Place:
    """A place of its own that was run once."""
    shutil.copytree(first.folder, tmp_path / "place", symlinks=True)
    return Place(tmp_path / "place")


def kinds(place: Place) -> Counter[str]:
    return Counter(dict(place.rows("select kind, count(*) from audit.entries group by kind")))


def verify(place: Place, status: int = 0) -> str:
    done = radar("audit", "verify", f"--warehouse={place.warehouse}")
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_everything_that_a_run_did_is_an_entry(demo_run: Place) -> None:
    assert "entries, unbroken from" in verify(demo_run)
    exports = demo_run.rows("select folder, run_id, as_of_date, rule_set, rule_version from audit.exports")
    assert exports
    assert None not in {value for row in exports for value in row}
    told = (
        "select subject_id, run_id, as_of_date, rule_set, rule_version from audit.entries where kind = '{}'"
    )
    assert sorted(demo_run.rows(told.format("export"))) == sorted(exports)
    overrides = demo_run.rows("select override_id, overridden_by from staging.stg_crm__overrides order by 1")
    assert overrides
    recorded = "select subject_id, actor from audit.entries where kind = 'override' order by 1"
    assert demo_run.rows(recorded) == overrides


def test_the_version_of_a_rule_set_is_the_one_on_its_rows(demo_run: Place) -> None:
    """Of every set in use, shadows too."""
    scored = "select distinct rule_set, rule_version from scoring.fct_health_scores order by all"
    told = """
        select rule_set, arg_max(rule_version, sequence) from audit.entries
        where kind = 'rule_change' and rule_version is not null group by rule_set order by all
    """
    assert demo_run.rows(told) == demo_run.rows(scored)


def test_actions_and_reviews_are_entries_where_there_are_any(demo_run: Place) -> None:
    present = {
        name
        for (name,) in demo_run.rows("select schema_name || '.' || table_name from duckdb_tables()")
        + demo_run.rows("select schema_name || '.' || view_name from duckdb_views()")
    }
    if "marts.fct_actions" in present:
        told = """
            select subject_id, account_id, arg_max(state, sequence), max_by(as_of_date, sequence)
            from audit.entries where kind = 'action' group by all
        """
        actions = "select action_id, account_id, status from marts.fct_actions where released_on is not null"
        assert {row[:3] for row in demo_run.rows(told)} == set(demo_run.rows(actions))
    if "staging.stg_crm__reviews" in present:
        told_reviews = (
            "select subject_id, kind, actor from audit.entries where kind in (select kind from reviews)"
        )
        reviews = "select review_id, kind, reviewed_by from staging.stg_crm__reviews"
        assert set(demo_run.rows(f"with reviews as ({reviews}) {told_reviews}")) == set(
            demo_run.rows(reviews)
        )


def test_no_address_of_a_contact_is_in_the_evidence(demo_run: Place) -> None:
    assert demo_run.rows("select count(*) from staging.stg_crm__contacts where email is not null") > [(0,)]
    assert (
        demo_run.rows(
            """
        select entries.sequence from audit.entries
        inner join staging.stg_crm__contacts as contacts on contains(entries.evidence, contacts.email)
        """
        )
        == []
    )


@pytest.mark.slow
def test_a_blocked_run_and_the_run_after_it_add_their_own_files_only(place: Place) -> None:
    before = kinds(place)
    assert before["override"]
    payments = place.extracts / "billing/payments/late.csv"
    with payments.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["payment_id", "account_id", "amount_usd", "status", "attempted_at"])
        writer.writerows([[f"x{n}", "acc-000001", 10, "exploded", "2026-06-28T10:00:00Z"] for n in range(40)])
    place.run(DAY, status=3)
    place.run(DAY, status=3)  # it stays blocked until enough gets through
    added = kinds(place) - before
    assert added["export"] == 2 * before["export"]
    assert not {"override", "rule_change", "reference_change"} & added.keys()
    twice = "select kind, subject_id, state from audit.entries group by all having count(*) > 1"
    assert place.rows(twice) == []
    verify(place)


@pytest.mark.slow
def test_a_changed_override_and_a_changed_rule_are_new_entries(place: Place, tmp_path: Path) -> None:
    before = kinds(place)
    ((override, account),) = place.rows(
        "select override_id, account_id from staging.stg_crm__overrides order by 1 limit 1"
    )
    with (place.extracts / "crm/overrides/more.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [
                ["override_id", "account_id", "bucket", "reason", "overridden_by", "overridden_at"],
                [override, account, "healthy", "They renewed", "dora", "2026-06-29T10:00:00Z"],
            ]
        )
    (tmp_path / "seeds").mkdir()
    rules = (SEEDS / "rules.csv").read_text()
    assert "no_login_14d,,points,-20" in rules
    (tmp_path / "seeds" / "rules.csv").write_text(
        rules.replace("no_login_14d,,points,-20", "no_login_14d,,points,-25", 1)
    )
    place.run(DAY, f"--seeds={tmp_path / 'seeds'}")
    added = kinds(place) - before
    assert (added["override"], added["rule_change"], added["reference_change"]) == (1, 1, 0)
    ((actor, evidence),) = place.rows(
        "select actor, evidence from audit.entries where kind = 'override' order by sequence desc limit 1"
    )
    assert (actor, json.loads(evidence)["reason"]) == ("dora", "They renewed")
    ((version, evidence),) = place.rows(
        "select rule_version, evidence from audit.entries where kind = 'rule_change'"
        " order by sequence desc limit 1"
    )
    assert place.rows("select distinct rule_version from marts.rpt_account_health") == [(version,)]
    (changed,) = json.loads(evidence)["changed"]
    assert (changed["old"]["points"], changed["new"]["points"]) == (-20, -25)
    verify(place)


@pytest.mark.slow
def test_a_broken_chain_stops_a_run_before_anything_goes_out(place: Place) -> None:
    with duckdb.connect(str(place.warehouse)) as con:
        con.execute("delete from audit.entries where sequence = (select max(sequence) from audit.entries)")
    copy, files = (place.published / "radar.duckdb").read_bytes(), set(place.exports.rglob("*"))
    assert "is missing: the chain was cut off at its end" in verify(place, status=1)
    done = place.run(DAY, status=1)
    assert "the chain was cut off at its end" in done.stderr
    assert "radar audit restart" in done.stderr
    assert (place.published / "radar.duckdb").read_bytes() == copy
    assert set(place.exports.rglob("*")) == files
    begun = radar("audit", "restart", f"--warehouse={place.warehouse}", "--reason=a test cut it")
    assert begun.returncode == 0, begun.stderr
    place.run(DAY)
    assert "a test cut it" in verify(place)
    assert kinds(place)["override"], "the new chain begins with everything that stands"


def killed(place: Place, code: str) -> None:
    """A run that kills itself where `code` says."""
    names = ("extracts", "warehouse", "published", "exports")
    arguments = [f"--{name}={getattr(place, name)}" for name in names]
    done = subprocess.run(
        [sys.executable, "-c", code, "run", *arguments, DAY], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.slow
def test_runs_that_are_killed_are_caught_up(place: Place) -> None:
    """One before it records what it did, and one between its commit and the move of the head."""
    before = kinds(place)
    killed(place, KILLED.format(step="append"))
    assert kinds(place) == before
    killed(place, KILLED.format(step="_move_head"))
    added = (kinds(place) - before)["export"]
    assert added == 2 * before["export"]
    assert re.search(r"the last \d+ are sound, and the next run adds them to the head", verify(place))
    place.run(DAY)
    assert "are sound" not in verify(place)
    recorded = "select subject_id, run_id from audit.entries where kind = 'export' order by all"
    assert place.rows(recorded) == place.rows("select folder, run_id from audit.exports order by all")
    assert place.rows("select count(distinct run_id) from audit.exports") == [(4,)]
