"""`radar replay`: the same bytes, or the difference by late data, override or rule; and nothing changes."""

from __future__ import annotations

import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from radar.core.runs import utc_now
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place, radar
from tests.runs.test_score_changes import write, write_events

pytestmark = pytest.mark.slow

USED = {"crm/accounts", "crm/overrides", "product/events"}
OVERRIDES = "override_id account_id bucket reason overridden_by overridden_at"
DAY = utc_now().date() - timedelta(days=3)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One recorded day, by seeds in a git repository whose older revision has other points."""
    folder = tmp_path_factory.mktemp("replay")
    made, seeds = Place(folder), SeedFolder(folder / "seeds")
    seeds.write("feeds", [row | {"is_used": str(row["feed"] in USED).lower()} for row in seeds.rows("feeds")])
    rules = seeds.rows("rules")
    seeds.write(
        "rules", [row | {"points": "-25"} if row["rule_id"] == "no_login_14d" else row for row in rules]
    )
    git(seeds.folder, "init", "--quiet")
    git(seeds.folder, "add", ".")
    git(seeds.folder, "commit", "--quiet", "--message=stricter")
    seeds.write("rules", rules)
    created = [(account, account, "2025-01-01T00:00:00Z") for account in ("quiet", "busy", "late")]
    write(made, "crm/accounts", "a", "account_id name created_at", created)
    write(made, "crm/overrides", "o", OVERRIDES, [])
    reports = [(f"k-{account}", account, "report_created", f"{DAY}T00:00:00Z") for account, *_ in created]
    write(made, "product/events", "k", "event_id account_id event_name occurred_at", reports)
    silent = DAY - timedelta(days=40)
    write_events(made, "e", {"quiet": silent, "late": silent, "busy": DAY})
    made.run(f"--seeds={seeds.folder}", f"--as-of={DAY}")
    return made


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True)


def replayed(place: Place, *options: str, day: str = str(DAY)) -> tuple[int, str]:
    where = (f"--warehouse={place.warehouse}", f"--seeds={place.folder / 'seeds'}")
    done = radar("replay", f"--as-of={day}", *where, *options)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def digest(place: Place) -> str:
    return hashlib.sha256(place.warehouse.read_bytes()).hexdigest()


def test_a_day_comes_out_as_recorded_and_differs_by_what_changed(place: Place) -> None:
    before = digest(place)
    status, text = replayed(place, "--rules=HEAD")
    assert status == 1
    assert text.startswith(
        f"{DAY}: 3 accounts recorded by {rules_of(place)}.\nComputed again by playbook_v1 "
    )
    evidence = "No login for 40 days (limit 14)"
    strict = f"no_login_14d: {evidence} (-20 points) -> {evidence} (-25 points)"
    assert text.splitlines()[2:] == [
        "2 accounts by rule:",
        f"  late  rule: 80 healthy -> 75 watch. {strict}",
        f"  quiet  rule: 80 healthy -> 75 watch. {strict}",
    ]
    assert digest(place) == before
    # rules that changed since do not count: those of the day do
    git(place.folder / "seeds", "checkout", "--quiet", "HEAD", "rules.csv")
    write_events(place, "l", {"late": DAY - timedelta(days=1)})
    override = ("o1", "busy", "at_risk", "They told us", "Ann", f"{DAY}T10:00:00Z")
    write(place, "crm/overrides", "p", OVERRIDES, [override])
    place.run(f"--seeds={place.folder / 'seeds'}", f"--as-of={DAY + timedelta(days=1)}")
    status, text = replayed(place)
    assert status == 1
    assert "1 account by late data:\n  late  late data: 80 healthy -> 100 healthy. no_login_14d" in text
    assert "1 account by override:\n  busy  override: 100 healthy -> 100 at risk" in text
    assert "Landed since the day was recorded: crm/overrides (1 files, 1 rows), product/events" in text
    status, text = replayed(place, day=str(DAY + timedelta(days=1)))
    assert (status, "The same as recorded, to the last byte." in text) == (0, True)
    assert not list(place.warehouse.with_name("warehouse.state").glob("replay-*"))


def test_a_day_or_a_revision_that_is_not_there_is_wrong_usage(place: Place) -> None:
    assert replayed(place, day="2001-01-01")[0] == 2
    assert replayed(place, "--rules=no-such-revision")[0] == 2


def rules_of(place: Place) -> str:
    (found,) = place.rows("select distinct rule_set || ' ' || rule_version from marts.fct_health_history")
    return str(found[0])
