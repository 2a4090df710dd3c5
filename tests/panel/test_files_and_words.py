"""What a page or a file says where a value is missing: never a sentinel, a null or half a sentence."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from radar.demo import generate
from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.labels import fold
from radar.panel.pages import my_day, portfolio, quality, rules
from radar.panel.settings import PanelSettings
from radar.panel.web import csv_answer
from tests.frozen import SEEDS
from tests.panel.republished_copy import publish_again
from tests.runs.radar_run import Place, radar

pytestmark = pytest.mark.slow

DAY = date(2026, 6, 30)
NEVER = (
    r"\bNone\b(?! of it proves|\.)", r"\bnull\b", r"\b[Nn]a[Nn]\b", r"\binf\b", r"\bundefined\b", r"1,000,000", r"1000000", r"\(\)",  # noqa: E501
    r"\{\{", r"\}\}", r"\{%", r" ,", r",,", r"\. ?\.", r"\b([A-Za-z]{3,}(?: [A-Za-z]{3,})?):? \1\b",
    r"\$ ", r"\bTrue\b", r"\bFalse\b", r"\b1970\b", r"\b9999\b", r": ?[;.]", r"  of  ",
    r"(?<![\d.,:/$+−–-])\b1 (?!waits\b|goes\b|was\b|has\b)[a-z]{3,}s\b",
)  # fmt: skip
"""What no reader may meet: values of programs, sentinels, empty brackets, doubled words, templates,
`1 days`."""

NAMED_IN = (
    ("labels.csv", "value"), ("signals.csv", "signal"), ("rules.csv", "rule_id"), ("rules.csv", "flag"),
    ("rules.csv", "segment"), ("rules.csv", "bucket"), ("playbook.csv", "play"), ("playbook.csv", "channel"),
)  # fmt: skip
_IDS = {
    row[column]
    for name, column in NAMED_IN
    for row in csv.DictReader((SEEDS / name).read_text(encoding="utf-8").splitlines())
    if "_" in row[column]
}
IDENTIFIERS = re.compile(rf"\b(?:{'|'.join(sorted(_IDS))})\b|[a-z]\(s\)")
"""Ids of the seeds, and a plural that nobody has made. What a page shows as code is meant as an id."""

KEYS = {
    "account_id", "as_of_date", "bucket", "model_bucket", "bucket_low", "bucket_high", "score", "score_low",
    "score_high", "decision", "is_overridden", "rule_set", "rule_version", "coverage_pct", "rule_id",
    "rule_number", "result", "points", "points_low", "points_high", "action_id", "play", "channel", "mode",
    "status", "priority", "kind", "fact_id", "field", "rank_overall", "rank_for_owner", "reason", "feed", "state",  # noqa: E501
    "next_action", "trend", "needs_review", "who", "override_id", "outcome", "who_was_right", "episode_started_on",  # noqa: E501
    "sign_off_required", "is_signed_off", "evidence", "run_id", "is_own_goal", "override_bucket", "overridden_at",  # noqa: E501
    "compared_with", "change", "unknown_points", "family", "event_id", "position",
    "iso_week", "flags_checked",
}  # fmt: skip
"""Columns that a row always has; whatever else an account's rows hold is taken out of them."""
STRIPPED = (
    "marts.rpt_account_health", "marts.fct_health_history", "marts.fct_health_evidence", "marts.fct_actions",
    "marts.rpt_account_facts", "marts.rpt_review_queue", "marts.fct_score_changes", "marts.fct_source_conflicts",  # noqa: E501
    "marts.rpt_spot_checks", "marts.rpt_override_scoreboard", "marts.fct_rule_set_comparison",
    "marts.rpt_work_list", "marts.rpt_account_families", "marts.rpt_account_timeline", "marts.rpt_account_briefs",  # noqa: E501
)  # fmt: skip


@contextmanager
def panel(published: Path, folder: Path) -> Iterator[TestClient]:
    """A client of an admin."""
    app = create_app(PanelSettings(published=published, store=folder / "panel.sqlite", stale_days=100_000))
    users.add(app.state.store, "admin", "admin", [], None)
    found = users.find(app.state.store, "admin")
    assert found
    with TestClient(app, base_url="https://testserver", follow_redirects=False) as client:
        client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        yield client


def seen(text: str) -> str:
    """What people read of a page, and what is read out to them."""
    text = re.sub(r"<(script|style).*?</\1>", " ", text, flags=re.DOTALL)
    spoken = " | ".join(re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', text))
    text = re.sub(
        r"</(p|li|h\d|td|th|dt|dd|div|option|summary|button|a|title|text|tr|label|caption)>", " | ", text
    )
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", text) + " | " + spoken))


def faults(text: str) -> list[str]:
    """Passages that hold what nobody may meet."""
    return [
        f"{pattern}: ...{text[max(found.start() - 60, 0) : found.end() + 60]}..."
        for pattern in NEVER
        for found in re.finditer(pattern, text)
    ]


OWNER_IDS = re.compile(r"\bown-\d{4}\b")
"""Of the demo company, each of whose owners has a name."""


def identifiers(page: str, pattern: re.Pattern[str] = IDENTIFIERS) -> list[str]:
    """Ids that a page shows to people."""
    text = seen(re.sub(r"<code.*?</code>", " ", page, flags=re.DOTALL))
    return [f"...{text[max(one.start() - 60, 0) : one.end() + 60]}..." for one in pattern.finditer(text)]


def every_address(client: TestClient, accounts: list[str]) -> list[str]:
    """Every route that shows something, every file, and the variants that show other parts."""
    plain = [
        route.path
        for route in client.app.routes  # type: ignore[attr-defined]
        if isinstance(route, Route) and "GET" in (route.methods or ()) and "{" not in route.path
    ]
    plain = [path for path in plain if not path.startswith("/sign-in/")]
    return [
        *plain,
        *(f"/?tab={tab}" for tab in my_day.TABS if tab),
        "/accounts?q=a", "/accounts?q=zzzz", "/portfolio?unit=arr&by=owner&sort=renewal&desc=1",
        "/portfolio?by=renewal", "/portfolio?by=plan&bucket=at_risk", "/portfolio?plan=none", "/rules?set=snapshot_v1",  # noqa: E501
        "/audit?person=nobody", "/nowhere",
        *(f"/accounts/{account_id}" for account_id in accounts),
        *(f"/portfolio?format=csv&part={part}" for part in portfolio._CSV),
        *(f"/quality?format=csv&part={part}" for part in quality._CSV),
        *(f"/rules?set=snapshot_v1&format=csv&part={part}" for part in rules._CSV),
        "/audit?format=csv",
    ]  # fmt: skip


def read_through(client: TestClient, accounts: list[str], *ids: re.Pattern[str]) -> list[str]:
    """What is wrong on any page and in any file."""
    found: list[str] = []
    for address in every_address(client, accounts):
        answer = client.get(address)
        assert answer.status_code in (200, 303, 404), (address, answer.status_code)
        if "csv" in answer.headers.get("content-type", ""):
            rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
            cells = {cell for row in rows[1:] for cell in row}
            wrong = [cell for cell in cells if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", cell)]
            found += [f"{address}: {fault}" for cell in cells for fault in faults(cell)]
            found += [f"{address}: {cell}" for cell in [*wrong, *(cells & {"True", "False", "-0"})]]
        else:
            found += [f"{address}: {fault}" for fault in faults(seen(answer.text))]
            for pattern in (IDENTIFIERS, *ids):
                found += [f"{address}: {fault}" for fault in identifiers(answer.text, pattern)]
    return found


def messages(place: Place) -> Iterator[str]:
    """Every text that a run wrote to the outbox: Slack's blocks, tasks, and both forms of mails."""
    for file in place.exports.glob("outbox/*/*/messages.ndjson"):
        for line in file.read_text(encoding="utf-8").splitlines():
            yield from _texts(json.loads(line))
    for file in place.exports.glob("outbox/mail/*/*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        yield str(mail["Subject"])
        yield mail.get_body(["plain"]).get_content()  # type: ignore[union-attr]
        yield seen(mail.get_body(["html"]).get_content())  # type: ignore[union-attr]


def _texts(value: Any) -> Iterator[str]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _texts(part)
    if isinstance(value, str):
        yield value


def worst(published: Path, how_many: int = 3) -> list[str]:
    """Accounts with most to say, and those of the queue."""
    with duckdb.connect(str(published / "radar.duckdb"), read_only=True) as con:
        rows = con.execute(
            "select account_id from marts.rpt_account_health left join marts.rpt_review_queue using (account_id)"  # noqa: E501
            " order by rank_overall nulls last, account_id limit ?",
            [how_many],
        ).fetchall()
    return [account_id for (account_id,) in rows]


def test_a_full_company_reads_well(demo_run: Place, tmp_path: Path) -> None:
    with panel(demo_run.published, tmp_path) as client:
        found = read_through(client, worst(demo_run.published, 12), OWNER_IDS)
    told = list(messages(demo_run))
    assert told
    found += [fault for text in told for fault in faults(text)]
    # a text that is nothing but an id is for programs
    found += [text for text in told if IDENTIFIERS.search(text) and not IDENTIFIERS.fullmatch(text)]
    assert found == [], "\n".join(found)


def test_accounts_without_any_optional_value_read_well(demo_run: Place, tmp_path: Path) -> None:
    accounts = worst(demo_run.published, 6)
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        columns = con.execute(
            "select table_schema || '.' || table_name, column_name from information_schema.columns"
        ).fetchall()
    changes = []
    for table in STRIPPED:
        optional = [name for relation, name in columns if relation == table and name not in KEYS]
        assert optional, table
        listed = ", ".join(f"'{account_id}'" for account_id in accounts[:3])
        changes.append(
            f"update {table} set {', '.join(f'{name} = null' for name in optional)}"
            f" where account_id in ({listed})"
        )
    published = publish_again(demo_run, tmp_path / "stripped", *changes)
    with panel(published, tmp_path) as client:
        found = read_through(client, accounts)
        assert found == [], "\n".join(found)


SOURCES = (
    ("crm/contacts", "product", "billing/invoices", "comms"),
    ("billing/subscriptions", "billing/payments", "support", "feedback", "crm/touchpoints", "crm/pulses"),
    ("everything but crm/accounts",),
)
"""What is missing in each of three companies: every feed in one of them, and in the last all at once."""


@pytest.fixture(scope="module", params=SOURCES, ids=lambda missing: missing[0].split("/")[0].split()[0])
def poor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A company that lacks feeds, run once."""
    place = Place(tmp_path_factory.mktemp("poor"))
    generate(place.extracts, accounts=15, days=60, seed=3, end=DAY)
    for folder in sorted(place.extracts.glob("*/*")):
        feed = folder.relative_to(place.extracts).as_posix()
        is_only = "everything" in request.param[0] and feed != "crm/accounts"
        if is_only or any(feed == one or feed.startswith(f"{one}/") for one in request.param):
            shutil.rmtree(folder)
    done = radar(
        "run", f"--extracts={place.extracts}", f"--warehouse={place.warehouse}", f"--published={place.published}",  # noqa: E501
        f"--exports={place.exports}", "--as-of=2026-06-30",
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return place


def test_a_company_without_some_feeds_reads_well(poor: Place, tmp_path: Path) -> None:
    with panel(poor.published, tmp_path) as client:
        found = read_through(client, worst(poor.published, 8))
    found += [fault for text in messages(poor) for fault in faults(text)]
    assert found == [], "\n".join(found)


# --- files, names and the look-up file ------------------------------------------------------------------


def test_a_file_holds_plain_numbers_truths_and_times() -> None:
    row: dict[str, Any] = {
        "a": 12420.0, "b": 1234567.5, "c": Decimal("98000.00"), "d": True, "e": DAY, "f": None,
        "g": datetime(2026, 6, 30, 14, 5, tzinfo=UTC), "h": float("nan"), "i": 12_420, "j": -0.0,
    }  # fmt: skip
    text = bytes(csv_answer("x.csv", list(row), [row]).body).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1] == [
        "12420", "1234567.5", "98000", "true", "2026-06-30", "", "2026-06-30T14:05:00Z", "", "12420", "0",
    ]  # fmt: skip


def test_search_folds_accents_and_case_and_takes_words_in_any_order(demo_run: Place, tmp_path: Path) -> None:
    account_id = worst(demo_run.published, 5)[4]
    name = "Ægir Łódź Straße Müller GmbH"
    published = publish_again(
        demo_run,
        tmp_path / "named",
        f"update marts.rpt_account_health set account_name = '{name}', owner_name = 'Ĺucía Ñandú'"
        f" where account_id = '{account_id}'",
    )
    with panel(published, tmp_path) as client:
        for asked in ("müller", "MULLER straße", "strasse aegir", "gmbh lodz", "nandu muller", account_id):
            answer = client.get("/accounts", params={"q": asked})
            assert answer.headers.get("location") == f"/accounts/{account_id}", asked
        assert "No account is called so" in client.get("/accounts", params={"q": "muller nobody"}).text
        for asked in ("gmbh muller", "MÜLLER lodz"):
            assert client.get("/audit", params={"account": asked}).status_code == 200
    assert fold("Ørsted ÅRE ı") == "orsted are i"


@pytest.mark.parametrize("spoil", ["empty", "half", "foreign", "folder", "inside"])
def test_a_read_model_file_that_is_not_the_panels_is_made_again(
    demo_run: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: str
) -> None:
    with panel(demo_run.published, tmp_path) as client:
        assert "<article" in client.get("/").text
    (file,) = (tmp_path / "panel.cache").glob("*.sqlite")
    content = file.read_bytes()
    file.unlink()
    if spoil == "folder":
        file.mkdir()
    elif spoil == "foreign":
        with closing(sqlite3.connect(file)) as con:
            con.execute("create table about (version text)")
            con.execute("insert into about values (?)", [file.name.split(".")[0]])
            con.commit()
    else:
        middle = len(content) // 2
        kept = {"empty": b"", "half": content[:middle], "inside": content[:8_192]}[spoil]
        file.write_bytes(kept + (b"\xa5" * (len(content) - 8_192) if spoil == "inside" else b""))
    app = create_app(
        PanelSettings(published=demo_run.published, store=tmp_path / "panel.sqlite", stale_days=100_000)
    )
    found = users.find(app.state.store, "admin")
    assert found
    with TestClient(app, base_url="https://testserver", follow_redirects=False) as client:
        client.cookies.set(sessions.COOKIE, sessions.begin(app.state.store, *found))
        for _ in range(3):
            assert "<article" in client.get("/").text
    assert sum("made again" in record.message for record in caplog.records) == 1


def test_names_are_inert_in_pages(demo_run: Place, tmp_path: Path) -> None:
    account_id = worst(demo_run.published, 1)[0]
    name = "\x1b[31mRed\u202etxt.exe\u2066 <script>alert(1)</script> https://example.com"
    published = publish_again(
        demo_run,
        tmp_path / "named",
        f"update marts.rpt_account_health set account_name = '{name}' where account_id = '{account_id}'",
    )
    with panel(published, tmp_path) as client:
        for address in ("/", f"/accounts/{account_id}", "/portfolio", "/accounts?q=a"):
            text = client.get(address).text
            assert not re.search("[\x00-\x08\x0b-\x1f\u202e\u2066]", text), address
            assert "<script>alert" not in text
            assert 'href="https:' not in text
