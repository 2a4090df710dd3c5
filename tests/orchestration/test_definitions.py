"""What Dagster shows: the whole asset graph, its checks, the jobs, and when they start."""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from orchestration.defs.landing.assets import EXPECTATIONS, feed_key, results_of
from orchestration.defs.schedules.schedules import make_schedule
from orchestration.steps import (
    EARLIER_ENTRIES,
    EARLIER_RUNS,
    ENTRIES,
    EXPORT_STEP,
    POOL,
    PUBLISHED,
    RETENTION,
    RUNS,
    partitions,
)
from orchestration.timetable import Timetable
from radar.core.errors import UsageError
from radar.core.runs import FIRST_DATE
from radar.core.warehouse import state_dir
from radar.landing import schema
from radar.landing.feeds import load_feeds
from radar.landing.first_day import first_day, note_asked, note_landed
from radar.quality.outcomes import Outcome
from radar.quality.suites import rules

SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def describe(definitions: dg.Definitions) -> str:
    """One line per asset: key, group, whether it has as-of dates, and what it depends on."""
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = " ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        by_day = "by day" if node.is_partitioned else "whole"
        lines.append(f"{key.to_user_string()} | {node.group_name} | {by_day} | {parents}")
    return "\n".join(line.rstrip(" |") for line in lines) + "\n"


def test_the_asset_graph_is_the_one_that_was_agreed(definitions: dg.Definitions) -> None:
    """UPDATE_SNAPSHOTS=1 writes the new graph; what changed then stands in the diff."""
    found = describe(definitions)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(found)
    assert found.splitlines() == SNAPSHOT.read_text().splitlines()


def test_everything_has_an_owner_a_group_and_a_kind(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners, key
        assert node.group_name != "default", key
        assert node.kinds, key


def test_every_source_of_dbt_is_an_asset_that_something_makes(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    made_before = {key for key in graph.get_all_asset_keys() if not graph.get(key).is_materializable}
    assert made_before == {EARLIER_ENTRIES, EARLIER_RUNS}, (
        "what the runs before this one recorded of themselves"
    )
    tables = [feed.raw_table.split(".")[1] for feed in load_feeds().values()]
    assert {dg.AssetKey(["raw", table]) for table in [*tables, "account_aliases", "account_links"]} == {
        key for key in graph.get_all_asset_keys() if key.path[0] == "raw"
    }


def test_every_step_waits_for_the_one_writer(definitions: dg.Definitions) -> None:
    steps = {asset.op.name: asset.op.pool for asset in steps_of(definitions)}
    assert set(steps) == {
        "landing",
        "dbt",
        "published__radar",
        "exports__generic",
        "exports__hubspot_companies",
        "deliveries",
        "audit__entries",
        "control__retention",
        "audit__runs",
    }
    assert set(steps.values()) == {POOL}


def steps_of(definitions: dg.Definitions) -> set[dg.AssetsDefinition]:
    """What a run executes: not what the runs before it recorded."""
    assets = definitions.get_repository_def().assets_defs_by_key.values()
    return {asset for asset in assets if asset.is_executable}


def test_the_expectations_of_a_feed_are_a_check_and_only_those_of_accounts_stop_a_run(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for feed, found in rules().items():
        check = graph.get(dg.AssetCheckKey(feed_key(feed), EXPECTATIONS))
        assert check.blocking == (feed == "crm/accounts"), feed
        (table,) = check.metadata.values()
        assert [row.data["check"] for row in table.records] == [rule.check for rule in found]


@pytest.mark.parametrize(
    ("severities", "passed", "severity"),
    [
        ([], True, dg.AssetCheckSeverity.WARN),
        (["info"], True, dg.AssetCheckSeverity.WARN),
        (["info", "warning"], False, dg.AssetCheckSeverity.WARN),
        (["warning", "critical"], False, dg.AssetCheckSeverity.ERROR),
    ],
)
def test_the_worst_of_a_feeds_expectations_decides_and_what_is_only_reported_fails_nothing(
    severities: list[str], passed: bool, severity: dg.AssetCheckSeverity
) -> None:
    feed = "billing/payments"
    outcomes = [
        Outcome(
            feed, rule.check, rule.expectation_type, rule.severity, True, None, None, None, rule.action, ""
        )
        for rule in rules()[feed]
    ]
    for position, found in enumerate(severities):
        outcomes[position] = replace(
            outcomes[position], severity=found, success=False, message=f"found {found}"
        )
    (result,) = results_of(feed, outcomes)
    assert (result.check_name, result.passed, result.severity) == (EXPECTATIONS, passed, severity)
    assert result.description == "\n".join(f"found {found}" for found in severities)
    tables = [value.records for value in result.metadata.values() if isinstance(value, dg.TableMetadataValue)]
    assert [[row.data["severity"] for row in rows] for rows in tables] == ([severities] if severities else [])


def test_people_who_disagree_are_a_warning_that_stops_nothing(definitions: dg.Definitions) -> None:
    key = dg.AssetCheckKey(dg.AssetKey(["marts", "rpt_review_agreement"]), "assert_people_agree_with_flags")
    assert not definitions.resolve_asset_graph().get(key).blocking


def test_rules_that_do_not_tell_accounts_apart_are_a_warning_that_stops_nothing(
    definitions: dg.Definitions,
) -> None:
    table = dg.AssetKey(["marts", "rpt_rule_set_checks"])
    key = dg.AssetCheckKey(table, "assert_rules_tell_accounts_apart")
    assert not definitions.resolve_asset_graph().get(key).blocking


def test_files_go_out_after_the_copy_and_raw_rows_after_the_files(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    exports = {key for key in graph.get_all_asset_keys() if key.path[0] == "exports"}
    assert exports
    assert all(PUBLISHED in graph.get(key).parent_keys for key in exports)
    before = {step.op.name: int(step.op.tags.get("dagster/priority", 0)) for step in steps_of(definitions)}
    exporting = {name for name in before if name.startswith(EXPORT_STEP)}
    assert len(exporting) == len(exports)
    assert min(before[name] for name in exporting) > max(before[name] for name in before.keys() - exporting)
    others = before.keys() - exporting - {"deliveries"}
    assert before["deliveries"] > max(before[name] for name in others)
    assert not exports & {
        parent for key in graph.get_all_asset_keys() for parent in graph.get(key).parent_keys
    }
    assert ENTRIES in graph.get(RUNS).parent_keys
    assert RETENTION in graph.get(RUNS).parent_keys


@pytest.mark.parametrize("name", ["daily", "deliver", "backfill", "__ASSET_JOB"])
def test_a_job_is_one_process_and_has_as_of_dates(definitions: dg.Definitions, name: str) -> None:
    job = definitions.get_repository_def().get_job(name)
    assert job.executor_def.name == "in_process"
    assert isinstance(job.partitions_def, dg.DailyPartitionsDefinition)
    assert today() in job.partitions_def.get_partition_keys()


def test_a_backfill_leaves_todays_snapshot_and_the_files_alone(definitions: dg.Definitions) -> None:
    selected = {
        key.to_user_string()
        for key in definitions.resolve_job_def("backfill").asset_layer.selected_asset_keys
    }
    assert {"marts/fct_health_history", "marts/fct_actions"} <= selected
    assert not selected & {"marts/rpt_account_health", "marts/rpt_review_queue", "control/retention"}
    assert not [key for key in selected if key.startswith(("raw/", "exports/", "deliveries/"))]


@pytest.mark.parametrize(
    ("settings", "cron", "moment", "day"),
    [
        ({}, ("0 5 * * *", "UTC"), "2026-03-13T05:00+00:00", "2026-03-12"),
        (
            {"RADAR_SCHEDULE_TIME": "22:30", "RADAR_SCHEDULE_ZONE": "America/New_York"},
            ("30 22 * * *", "America/New_York"),
            "2026-03-13T22:30-04:00",
            "2026-03-13",  # in UTC it is the 14th by then
        ),
        ({"RADAR_SCHEDULE_DAY": "today"}, ("0 5 * * *", "UTC"), "2026-03-13T05:00+00:00", "2026-03-13"),
    ],
)
def test_the_schedule_runs_when_and_for_the_day_that_settings_say(
    definitions: dg.Definitions,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, str],
    cron: tuple[str, str],
    moment: str,
    day: str,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    schedule = make_schedule(Timetable.read())
    assert (schedule.cron_schedule, schedule.execution_timezone) == cron
    with dg.build_schedule_context(
        scheduled_execution_time=datetime.fromisoformat(moment),
        repository_def=definitions.get_repository_def(),
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.tags["dagster/partition"] == day


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RADAR_SCHEDULE_TIME", "25:00"),
        ("RADAR_SCHEDULE_ZONE", "Mars/Olympus"),
        ("RADAR_SCHEDULE_DAY", "tomorrow"),
    ],
)
def test_a_setting_of_the_schedule_that_cannot_be_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name):
        Timetable.read()


def test_dates_begin_with_the_first_day_of_the_installation(place: Path) -> None:
    warehouse = place / "w.duckdb"
    assert partitions().get_first_partition_key() == "2010-01-01", "before anything has landed"
    state_dir(warehouse).mkdir(exist_ok=True)
    try:
        with duckdb.connect() as con:
            schema.create(con)
            note_landed(con, warehouse, date(2026, 3, 13))
            assert first_day(warehouse) == FIRST_DATE, "without events nothing says where days begin"
            con.execute("insert into raw.product_events (occurred_at) values ('2025-07-01 10:00')")
            note_landed(con, warehouse, date(2026, 3, 13))
            assert partitions().get_first_partition_key() == "2025-07-01"
            con.execute("delete from raw.product_events")
            note_landed(con, warehouse, date(2026, 3, 14))
            assert first_day(warehouse) == date(2025, 7, 1), "what is purged was there"
        note_asked(warehouse, date(2025, 5, 1))
        assert partitions().get_first_partition_key() == "2025-05-01"
        (state_dir(warehouse) / "first_day.json").write_text("")
        assert first_day(warehouse) == FIRST_DATE, "a broken file is as none"
    finally:
        (state_dir(warehouse) / "first_day.json").unlink(missing_ok=True)


def test_the_sensor_asks_once_for_files_that_are_at_rest(definitions: dg.Definitions, place: Path) -> None:
    sensor = definitions.resolve_sensor_def("new_extracts")
    file = place / "extracts" / "crm" / "accounts" / "a.csv"

    def tick(cursor: str | None) -> tuple[int, str | None]:
        with dg.build_sensor_context(
            cursor=cursor,
            repository_def=definitions.get_repository_def(),
            instance=dg.DagsterInstance.ephemeral(),
        ) as context:
            found = sensor.evaluate_tick(context)
        return len(found.run_requests or []), found.cursor

    assert tick(None)[0] == 0
    file.parent.mkdir(parents=True)
    file.write_text("account_id\n")
    assert tick(None)[0] == 0
    minutes_ago = time.time() - 300
    os.utime(file, (minutes_ago, minutes_ago))
    requests, cursor = tick(None)
    assert requests == 1
    assert tick(cursor)[0] == 0
    file.write_text("account_id\nA\n")
    os.utime(file, (minutes_ago, minutes_ago))
    assert tick(cursor)[0] == 1


def test_loading_warns_of_nothing(place: Path) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        defs().get_repository_def().get_all_jobs()
    ours = [
        str(warning.message)
        for warning in caught
        if issubclass(warning.category, (FutureWarning, UserWarning))
    ]
    assert ours == []


def today() -> str:
    return datetime.now(UTC).date().isoformat()
