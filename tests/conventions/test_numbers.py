"""Numbers that people may change are rows of `seeds/`: what other numbers SQL may have, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from radar.core.project import PROJECT

FOLDERS = ("dbt_project/models", "dbt_project/macros", "radar")

UNITS = {"0", "1", "100", "7", "12", "24", "60", "3600", "1000000"}
"""Nothing, one, a whole in percent, days of a week, months of a year, hours, minutes and seconds."""

SYNTAX = re.compile(
    r"decimal\(\d+, ?\d+\)"  # precision of a type
    r"|\bthen \d+\b|\belse \d+(?= end|$)|^\s*\(\d+,|\b\w*rank\w*,? (?:= )?\d+"  # an order, not an amount
    r"|split_part\([^()]*, ?\d+\)|chr\(\d+\)|limit \d+|\b\d+ as position\b"
)
"""Where a number is part of how SQL is written."""

WINDOW = re.compile(r"_(\d+)d(?=_|\b)")
"""A window of days that the name of a signal or a column has: changing it would make another one."""

DEFINED = re.compile(
    r"models/measurement/|measurement/(calibration|whatif_models)/"
    r"|macros/(clustered_(rates|lifts|auc)|auc_places|normal_quantile)\.sql$"
)
"""Statistics, as docs/measurement.md and docs/calibrate.md define them: another number is another figure."""

ALLOWED = {
    "models/intermediate/usage/int_account_activity__as_of.sql": {"2": "the window and the one before"},
    "models/intermediate/usage/int_activity_changes.sql": {"2": "the window and the one before"},
    "models/marts/people/rpt_work_list.sql": {"2": "cents"},
    "models/plays/fct_holdouts.sql": {"100.0": "percent"},
    "models/marts/quality/rpt_lookalike_ids.sql": {"3": "examples in one text"},
    "models/outbound/crm_tasks.sql": {"58": "what fits before the sign that a subject was cut"},
    "models/marts/portfolio/rpt_risk_factors.sql": {"0.25": "lowest quarter", "0.75": "highest quarter"},
    "models/marts/people/rpt_workload_weekly.sql": {"175": "half a year of weeks is drawn"},
    "models/signals/sig_sentiment.sql": {"179": "nps_score is of the last 180 days, by its definition"},
    "macros/portable/key_of_text.sql": {"16": "half of an MD5, and its base", "10": "the base of a number"},
    "macros/bucket_name.sql": {"2": "a rank", "3": "a rank"},
    "radar/audit/delivery_ledger.sql": {"9": "after the prefix of a key"},
    "radar/panel/queries/audit.sql": {"64": "hexadecimal digits of a hash"},
    "radar/panel/queries/portfolio.sql": {"366": "a year of days is drawn"},
    "radar/panel/queries/quality.sql": {
        "2": "both tables are there",
        "100.0": "percent",
        "91": "a quarter of days is drawn",
        "1000.0": "milliseconds of a second",
    },
    "radar/panel/read_model.sql": {"366": "a year of days is drawn", "50": "lines of a list"},
}
"""File -> number -> what it is, for those that are none of these."""


def numbers(source: str) -> Iterator[tuple[str, str]]:
    """Each number of SQL that is not in a comment, a text literal or syntax, with its line."""
    source = re.sub(r"{#.*?#}", "", source, flags=re.DOTALL)
    for line in source.splitlines():
        code = SYNTAX.sub("", re.sub(r"'(?:[^']|'')*'", "''", line.split("--")[0]))
        for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", code):
            yield number, line.strip()


def of_no_seed(root: Path, windows: set[str]) -> list[str]:
    """`file: number, in line` for the numbers that need a reason."""
    found = []
    for path in sorted(root.rglob("*.sql")):
        if DEFINED.search(path.as_posix()):
            continue
        allowed = next((ours for file, ours in ALLOWED.items() if path.as_posix().endswith(file)), {})
        for number, line in numbers(path.read_text(encoding="utf-8")):
            if number not in UNITS | windows | allowed.keys():
                found.append(f"{path.relative_to(root)}: {number}, in {line!r}")
    return found


def windows(root: Path) -> set[str]:
    """The windows in names, and one day less: both ends of a window are days of it."""
    days = {
        int(days) for path in root.rglob("*.sql") for days in WINDOW.findall(path.read_text(encoding="utf-8"))
    }
    return {str(days - less) for days in days for less in (0, 1)}


@pytest.mark.parametrize("folder", FOLDERS)
def test_numbers_that_people_may_change_are_seeds(folder: str) -> None:
    assert of_no_seed(PROJECT / folder, windows(PROJECT / "dbt_project/models")) == []


def test_what_a_number_may_be(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text(
        "-- 14 days\nselect 5 as most, '8' as text, cast(a as decimal(18, 6)),\n"
        "case b when 'x' then 3 end as logins_30d\nwhere days > 30 and a * 100 > 0.35 * b\n",
        encoding="utf-8",
    )
    found = of_no_seed(tmp_path, windows(tmp_path))
    assert [line.split(",")[0] for line in found] == ["a.sql: 5", "a.sql: 0.35"]
