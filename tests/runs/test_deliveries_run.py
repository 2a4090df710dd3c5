"""Deliveries of whole runs: the outbox without secrets, a destination that is down, its retry, older days."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.definitions import defs
from orchestration.steps import delivery_key
from radar.core.runs import utc_now
from radar.deliveries.retries import next_attempt, note_next_attempt
from tests.deliveries.vendors import Vendors, serving
from tests.runs.radar_run import Place

DAY, NEXT_DAY = "2026-06-30", "2026-07-01"
READY = """
    select count(*) from marts.fct_actions
    where channel = '{}' and status = 'ready' and as_of_date = (select max(as_of_date) from marts.fct_actions)
"""


@pytest.fixture(scope="module")
def vendors() -> Iterator[Vendors]:
    with serving() as vendors:
        yield vendors


@pytest.fixture(scope="module")
def place(demo_run: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place of its own that was run once, without a secret."""
    folder = tmp_path_factory.mktemp("delivering") / "place"
    shutil.copytree(demo_run.folder, folder, symlinks=True)
    return Place(folder)


HANDED_OVER = """
    select actions.action_id, actions.due_at, deliveries.as_of_date, actions.released_on
    from marts.fct_actions as actions
    inner join audit.deliveries as deliveries
        on actions.action_id = deliveries.action_id
    where
        deliveries.kind in ('alert', 'task', 'draft')
        and deliveries.status = 'written'
        and deliveries.as_of_date = '2026-06-30'
        and actions.status in ('ready', 'to_approve', 'suppressed')
    order by actions.action_id
"""


def lines(place: Place, channel: str) -> list[dict[str, object]]:
    files = (place.exports / "outbox" / channel).glob("*/messages.ndjson")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_run_without_secrets_fills_the_outbox_and_says_so(demo_run: Place) -> None:
    said = (demo_run.folder / "first.txt").read_text()
    tasks = demo_run.rows(READY.format("crm_task"))[0][0]
    assert tasks > 0
    assert f"tasks: {tasks} tasks written to the outbox (no secret is set)" in said
    assert len(lines(demo_run, "tasks")) == tasks
    alerts = "select count(*) from audit.deliveries where kind = 'alert' and status = 'written'"
    told = READY.format("slack_alert").replace("= 'ready'", "in ('ready', 'to_approve')")
    assert demo_run.rows(alerts) == demo_run.rows(told)
    drafts = {line["key"] for line in lines(demo_run, "mail")}
    waiting = """
        select action_id from marts.fct_actions
        where channel = 'mail_draft' and status = 'to_approve' and as_of_date = '2026-06-30'
        and 'draft:' || action_id not in (select delivery_key from audit.deliveries where status = 'blocked')
    """
    assert drafts == {f"draft:{action}" for (action,) in demo_run.rows(waiting)}


def test_nothing_is_due_before_it_was_handed_over(demo_run: Place) -> None:
    """Also where one run tells of many days, and most actions were released before the last of them."""
    given = demo_run.rows(HANDED_OVER)
    assert any(released < handed_over for _, _, handed_over, released in given)
    assert [due for _, due, handed_over, _ in given if due.date() <= handed_over] == []
    due_at = {action: due for action, due, _, _ in given}
    tasks = {str(line["action_id"]): str(line["due_at"]) for line in lines(demo_run, "tasks")}
    assert tasks
    assert tasks == {action: str(due_at[action]) for action in tasks}
    exported = demo_run.rows("select action_id, due_at from outbound.crm_tasks")
    assert {action: str(due) for action, due in exported} == tasks


def test_a_set_of_the_outbox_has_a_manifest_like_every_set(demo_run: Place) -> None:
    manifests = [json.loads(file.read_text()) for file in demo_run.exports.glob("outbox/*/*/manifest.json")]
    assert manifests
    assert {manifest["as_of_date"] for manifest in manifests} == {DAY}
    names = {name for manifest in manifests for file in manifest["files"] for name in file}
    assert names == {"name", "rows", "bytes", "sha256", "columns"}


@pytest.mark.slow
def test_a_channel_that_is_down_fails_alone_and_the_sensor_tries_it_again(
    place: Place, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, dropped = [
        action
        for (action,) in place.rows(
            "select action_id from marts.fct_actions where channel = 'slack_alert' and status = 'to_approve' "
            "order by action_id limit 2"
        )
    ]
    with duckdb.connect(str(place.warehouse)) as con:
        con.execute(
            "delete from audit.deliveries where action_id in ($told, $dropped)",
            {"told": told, "dropped": dropped},
        )
    reviews = place.extracts / "crm" / "reviews" / "decisions.ndjson"
    account = "select account_id from marts.fct_actions where action_id = '{}'"
    with reviews.open("w") as file:
        for number, (action, verdict) in enumerate(((told, "approved"), (dropped, "dropped"))):
            review = {
                "review_id": f"panel-{number}",
                "account_id": place.rows(account.format(action))[0][0],
                "as_of_date": DAY,
                "kind": "action",
                "verdict": verdict,
                "action_id": action,
                "reviewed_by": "dora",
                "reviewed_at": f"{DAY}T10:00:00Z",
            }
            file.write(json.dumps(review) + "\n")

    due_at = {action: due for action, due, *_ in place.rows(HANDED_OVER)}
    monkeypatch.setenv("RADAR_SLACK_WEBHOOK_URL", f"{vendors.url}/slack/hook")
    vendors.fail("/slack/hook", *["403"] * 30)
    done = place.run(f"--as-of={NEXT_DAY}")
    later = {action: due for action, due, *_ in place.rows(HANDED_OVER)}
    assert later
    assert later == {action: due_at[action] for action in later}, "what somebody has keeps its time"
    assert "failed, tried again" in done.stdout
    assert vendors.posts == []
    failed = "select action_id from audit.deliveries where status = 'failed' and kind = 'alert'"
    assert (told,) in place.rows(failed)
    assert (dropped,) not in place.rows(failed)
    assert place.rows("select status from audit.runs order by batch_id desc limit 1") in (
        [("done",)],
        [("held",)],
    )

    for name in ("warehouse", "extracts", "exports", "published"):
        monkeypatch.setenv(f"RADAR_{name.upper()}", str(getattr(place, name)))
    waiting = next_attempt(place.warehouse)
    assert waiting is not None
    assert waiting.as_of.isoformat() == NEXT_DAY
    definitions = defs()
    sensor = definitions.resolve_sensor_def("due_deliveries")

    def tick() -> list[dg.RunRequest]:
        with dg.build_sensor_context(
            repository_def=definitions.get_repository_def(), instance=dg.DagsterInstance.ephemeral()
        ) as context:
            return list(sensor.evaluate_tick(context).run_requests or [])

    assert tick() == []
    note_next_attempt(place.warehouse, waiting.as_of, utc_now() - timedelta(seconds=1))
    (request,) = tick()
    assert request.tags["dagster/partition"] == NEXT_DAY

    vendors.forgive()
    monkeypatch.setattr("radar.deliveries.deliveries.FIRST_RETRY", timedelta(0))
    due_now = "update audit.deliveries set next_attempt_at = now()::timestamp - interval 1 day"
    with duckdb.connect(str(place.warehouse)) as con:
        con.execute(f"{due_now} where status = 'failed'")
    job = definitions.resolve_job_def("deliver")
    result = job.execute_in_process(partition_key=NEXT_DAY, tags=dict(request.tags))
    assert result.success
    assert vendors.posts
    delivered = "select delivery_key from audit.deliveries where status = 'delivered'"
    assert place.rows(f"{failed} and delivery_key not in ({delivered})") == []
    assert next_attempt(place.warehouse) is None
    assert tick() == []

    told = {
        event.asset_key: event.materialization.metadata for event in result.get_asset_materialization_events()
    }
    slack = told[delivery_key("slack")]
    assert (slack["carrier"].value, slack["failed"].value) == ("slack_webhook", 0)
    assert slack["sent"].value >= 1

    posts = len(vendors.posts)
    assert job.execute_in_process(partition_key=DAY).success  # an older day
    assert len(vendors.posts) == posts


@pytest.mark.slow
def test_a_run_that_fails_is_told_in_slack_once(
    vendors: Vendors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_SLACK_WEBHOOK_URL", f"{vendors.url}/slack/hook")
    place = Place(tmp_path)
    place.extracts.mkdir()
    before = len(vendors.posts)
    for _ in range(2):
        place.run(f"--as-of={DAY}", status=1)
    (post,) = vendors.posts[before:]
    assert "the run failed" in post["text"]
    assert "crm/accounts" in json.dumps(post)


def test_a_setting_that_cannot_be_used_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RADAR_SMTP_PORT", "many")
    place = Place(tmp_path)
    place.extracts.mkdir()
    done = place.run(f"--as-of={DAY}", status=2)
    assert "RADAR_SMTP_PORT cannot be used" in done.stderr
    assert "many" not in done.stderr
