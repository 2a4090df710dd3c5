"""`radar whatif`: what other rules would change, on a company that is made up and on a run."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from radar.cli.main import app
from radar.core.errors import UsageError
from radar.measurement.backtest import Question, measured_copy, rows_of
from radar.measurement.whatif import Candidate, WhatIf, what_if
from radar.rules.gathering import gather
from tests.frozen import SEEDS
from tests.measurement.company_copy import fill, publish
from tests.measurement.test_backtest_command import foreseen, replace_scores
from tests.oracle.measurement import Score
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place, radar

KNOWN = foreseen()
LAST = max(score.day for score in KNOWN.scores)
SHARP = {(score.account_id, score.day): score.bucket for score in KNOWN.scores}


def blind(score: Score) -> bool:
    """At risk in every third week, whoever it is."""
    return (score.day - LAST).days // 7 % 3 == 0


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy whose recorded scores know nothing, and whose shadow foresees who leaves."""
    folder = tmp_path_factory.mktemp("published")
    publish(replace_scores(KNOWN, blind), folder / "radar.duckdb")
    with duckdb.connect(str(folder / "radar.duckdb")) as con:
        con.execute(
            """
            insert into scoring.dim_rule_sets values ('sharp', 'shadow', 'v'), ('old', 'retired', null);
            create table seeds.rule_sets as select 'sharp' as rule_set, 7 as smoothing_days;
            create table scoring.fct_health_scores (
                account_id varchar, as_of_date date, rule_set varchar, score double, bucket varchar,
                decision varchar
            );
            create table scoring.fct_rule_results as
            select
                'stay0' as account_id, date '2000-01-01' as as_of_date, 'sharp' as rule_set,
                'quiet' as rule_id, 'true' as result, -20 as points, 'A [link](x) | <b>' as evidence
            """
        )
        con.execute("update scoring.fct_rule_results set as_of_date = $day", {"day": LAST})
        fill(
            con,
            "scoring.fct_health_scores",
            [
                (score.account_id, score.day, "sharp", score.score, score.bucket, "decided")
                for score in KNOWN.scores
            ],
        )
    return folder


@pytest.fixture(scope="module")
def found(published: Path) -> WhatIf:
    return what_if(published / "radar.duckdb", Candidate("sharp"), SEEDS / "settings.csv", 60)


def test_precision_and_recall_differ_by_an_interval_paired_by_account(found: WhatIf, published: Path) -> None:
    with measured_copy(published / "radar.duckdb", Question(horizons=(60,))) as con:
        observed = [
            row
            for row in rows_of(con, "fct_observations")
            if row["left_out_because"] is None and not row["is_censored_60d"]
        ]
    sides: dict[str, dict[str, list[tuple[bool, bool]]]] = {
        side: defaultdict(list) for side in ("before", "after")
    }
    for row in observed:
        account, churned = row["account_id"], row["has_churned_60d"]
        sides["before"][account].append((row["bucket"] == "at_risk", churned))
        sides["after"][account].append((SHARP[account, row["as_of_date"]] == "at_risk", churned))
    for row in found.tables["whatif_differences"]:
        parts: dict[str, float] = defaultdict(float)
        rates = {}
        for side, sign in (("before", -1), ("after", 1)):
            counts = {
                account: (
                    sum(flag if row["measure"] == "precision" else churned for flag, churned in rows),
                    sum(flag and churned for flag, churned in rows),
                )
                for account, rows in sides[side].items()
            }
            n, hits = (sum(count[place] for count in counts.values()) for place in (0, 1))
            rates[side] = hits / n
            for account, (own_n, own_hits) in counts.items():
                parts[account] += sign * (own_hits - rates[side] * own_n) / n
        m = len(parts)
        half = 1.959963984540054 * math.sqrt(m / (m - 1) * sum(part * part for part in parts.values()))
        difference = rates["after"] - rates["before"]
        assert row["accounts"] == m
        assert [row["rate_before"], row["rate_after"]] == pytest.approx([rates["before"], rates["after"]])
        assert [row["difference_low"], row["difference_high"]] == pytest.approx(
            [difference - half, difference + half]
        )
        assert row["difference_low"] > 0, "the shadow is better"


def test_alerts_are_accounts_that_are_at_risk_and_were_not_before(found: WhatIf) -> None:
    dates = defaultdict(list)
    for score in sorted(KNOWN.scores, key=lambda one: one.day):
        dates[score.account_id].append(score)
    wanted = sum(
        score.bucket == "at_risk" and before.bucket != "at_risk" and score.day > LAST - timedelta(days=365)
        for scored in dates.values()
        for before, score in pairwise(scored)
    )
    sides = {row["side"]: row for row in found.tables["whatif_alerts"]}
    assert sides["after"]["alerts"] == wanted > 10
    assert sides["before"]["most_of_an_owner"] >= 40, "everybody at once, one owner"


def test_gates_fail_pass_or_cannot_be_judged(found: WhatIf, published: Path, tmp_path: Path) -> None:
    gates = {row["gate"]: row["has_passed"] for row in found.tables["whatif_gates"]}
    assert gates == {"healthy": False, "lift": True, "warned": False, "capacity": True}
    healthy, capacity = (
        next(row for row in found.tables["whatif_gates"] if row["gate"] == gate)
        for gate in ("healthy", "capacity")
    )
    assert healthy["value"] == 100
    mine = SeedFolder(tmp_path / "mine")
    limits = {
        "whatif_healthy_limit_pct": "100",
        "whatif_warned_days": "30",
        "least_churned_accounts": "1",
        "owner_weekly_actions": str(capacity["value"]),
    }
    rows = mine.rows("settings")

    def gates_with(**changed: str) -> dict[str, bool | None]:
        now = limits | changed
        mine.write("settings", [row | {"value": now.get(row["setting"], row["value"])} for row in rows])
        done = what_if(published / "radar.duckdb", Candidate("sharp"), mine.folder / "settings.csv", 60)
        return {row["gate"]: row["has_passed"] for row in done.tables["whatif_gates"]}

    assert gates_with() == {"healthy": True, "lift": True, "warned": True, "capacity": True}
    over = gates_with(whatif_healthy_limit_pct="99", owner_weekly_actions="0", whatif_least_lift="99")
    assert over == {"healthy": False, "lift": False, "warned": True, "capacity": False}
    too_few = gates_with(least_churned_accounts="41")
    assert too_few == {"healthy": True, "lift": None, "warned": None, "capacity": True}


def test_the_report_is_markdown_or_a_page_and_the_status_says_whether_a_gate_fails(
    published: Path, tmp_path: Path
) -> None:
    shown = CliRunner().invoke(app, ["whatif", "sharp", f"--published={published}"])
    assert shown.exit_code == 1
    assert shown.stdout.startswith("# What if sharp scored in place of")
    assert "2 of 4 gates fail." in shown.stdout
    assert r"A \[link\](x) \| &lt;b>" in shown.stdout
    assert shown.stdout.count("Then, the bucket reads the median score of the last 7 scored dates.") == 2
    mine = SeedFolder(tmp_path / "mine")
    passing = {"whatif_healthy_limit_pct": "100", "whatif_warned_pct": "0"}
    mine.write(
        "settings",
        [row | {"value": passing.get(row["setting"], row["value"])} for row in mine.rows("settings")],
    )
    md, html = tmp_path / "whatif.md", tmp_path / "whatif.html"
    files = [f"--markdown={md}", f"--html={html}"]
    command = ["whatif", "sharp", f"--published={published}", f"--seeds={mine.folder}", *files]
    done = CliRunner().invoke(app, command)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "No gate fails." in md.read_text("utf-8")
    assert "<script" not in html.read_text("utf-8")
    assert "No gate fails." in html.read_text("utf-8")


def test_a_folder_is_scored_as_a_run_scores_it(demo_run: Place, tmp_path: Path) -> None:
    """Segments, weights, caps, flags, goals: the shadow of the run, evaluated again from its rows."""
    db = demo_run.published / "radar.duckdb"
    again = what_if(
        db, Candidate("snapshot_v1", gather(None, tmp_path / "in_use")), SEEDS / "settings.csv", 30
    )
    scored = what_if(db, Candidate("snapshot_v1"), SEEDS / "settings.csv", 30)
    assert again.tables == scored.tables
    assert len({row["score_after"] for row in again.tables["whatif_accounts"]}) > 5
    same = what_if(db, Candidate("playbook_v1", tmp_path / "in_use"), SEEDS / "settings.csv", 30)
    assert not any(row["has_moved"] for row in same.tables["whatif_accounts"])


def test_a_change_of_a_folders_champion_rule_set_moves_accounts(demo_run: Place, mine: SeedFolder) -> None:
    mine.change("rules", 2, points="-60")  # key features unused: watch alone
    done = radar("whatif", str(mine.folder), f"--published={demo_run.published}")
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout.startswith("# What if playbook_v1 scored in place of playbook_v1?")
    assert "| watch | at risk | " in done.stdout
    assert "Key features unused" in done.stdout or "No key feature used" in done.stdout


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("nobody",), "'nobody' is no folder, and no rule set that is scored"),
        (("old",), "'old' is no folder, and no rule set that is scored"),
        (("sharp", "--horizon=0"), "--horizon cannot be 0"),
        (("sharp", "--published=/nowhere"), "nothing has been published yet"),
        ((str(SEEDS), "--rule-set=none"), "no rules of a rule set 'none'"),
    ],
)
def test_wrong_usage_is_refused(options: tuple[str, ...], sentence: str, published: Path) -> None:
    done = CliRunner().invoke(app, ["whatif", f"--published={published}", *options])
    assert isinstance(done.exception, UsageError)
    assert sentence in str(done.exception)
    assert done.exception.exit_status == 2


def test_rules_that_are_not_sound_are_refused(published: Path, mine: SeedFolder) -> None:
    mine.change("rule_conditions", 1, operator="~")
    done = CliRunner().invoke(app, ["whatif", str(mine.folder), f"--published={published}"])
    assert isinstance(done.exception, UsageError)
    assert "there is no operator" in str(done.exception)
