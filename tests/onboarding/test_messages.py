"""What `radar init` says of the files that it was given, to somebody who sees it for the first time."""

from __future__ import annotations

from pathlib import Path

from radar.landing.feeds import load_feeds
from radar.onboarding.recognition import recognise
from tests.runs.radar_run import radar


def test_what_is_wrong_with_a_file_and_what_to_do_are_lines_of_their_own(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "accounts.csv").write_text("account_id,name,created_at\na1,Acme,2026-01-01\n")
    (files / "tickets.csv").write_text(
        "ticket_id,account_id,status,opened_at\nt1,a1,On ice,2026-02-01\nt2,a1,open,2026-02-01"
    )
    (files / "events.csv").write_text(
        f"event_id,account_id,user_id,event_name,occurred_at\ne1,a1,u1,{'a' * 250},2026-02-01\n"
    )
    done = radar("init", str(tmp_path / "company"), "--from", str(files), "--yes", "--no-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "    landed: support/tickets/tickets.csv, row 2: has no line end and may be cut, so it did not land\n"
        "      What to do: send the file again with a line end after its last row;"
    ) in done.stdout
    assert "\\u000a" not in done.stdout
    assert "1 ticket: open" in done.stdout
    assert " crm/accounts: 1 row, 0 refused" in done.stdout
    assert f"    {'a' * 59}… 1 event of 1 account: " in done.stdout


def test_a_file_called_like_a_feed_needs_the_required_columns_alone(tmp_path: Path) -> None:
    """As the message about missing accounts advises; a feed may gain optional columns later."""
    expected = {}
    for feed in load_feeds().values():
        required = [column.name for column in feed.columns if column.required]
        name = f"{feed.name.split('/')[1]}.csv"
        (tmp_path / name).write_text(",".join(required) + "\n" + ",".join("1" for _ in required) + "\n")
        expected[name] = feed.name
    expected["surveys.csv"] = "survey/nps"  # which gives feedback/surveys
    assert {one.name: one.folder for one in recognise(tmp_path)} == expected


def test_what_a_file_called_like_an_object_lacks_is_said_of_that_object(tmp_path: Path) -> None:
    (tmp_path / "salesforce").mkdir()
    (tmp_path / "salesforce" / "account.csv").write_text(
        "id,name,owner_id,website\n001,Acme,005,acme.example\n"
    )
    (tmp_path / "salesforce" / "LICENSE").write_text("Apache\n")
    (tmp_path / "salesforce" / "notes.doc").write_text("Apache\n")
    assert {one.name.split("/")[1]: one.reason for one in recognise(tmp_path)} == {
        "LICENSE": "no file of data by its name",
        "account.csv": "it resembles salesforce/account, and has no CreatedDate",
        "notes.doc": "its type is not read: save it as CSV, TSV, JSON, Excel (.xlsx) or Parquet",
    }
