"""The contracts: what is refused in one, with file and line, and that what derives from them agrees."""

from __future__ import annotations

import ast
import csv
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from inbox import Inbox

from radar.core.errors import UsageError
from radar.core.project import PROJECT
from radar.landing.contract_files import derived_files, example_csv
from radar.landing.feeds import CONTRACTS, load_feeds
from radar.landing.staging import STAGING, require_sound_contracts
from tests.frozen import SEEDS

FEEDS = load_feeds()
OWNERS = (CONTRACTS / "crm__owners.yml").read_text(encoding="utf-8")


def lines_of(text: str) -> int:
    return OWNERS[: OWNERS.index(text)].count("\n") + 1


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    folder = tmp_path / "contract"
    shutil.copytree(CONTRACTS, folder)
    return folder


def test_what_the_contracts_say_is_what_the_released_warehouse_is_made_of() -> None:
    assert FEEDS["billing/subscriptions"].key == ("subscription_id", "updated_at")
    assert FEEDS["billing/subscriptions"].version_key == ("subscription_id", "updated_at")
    assert FEEDS["crm/contacts"].version_key == ("contact_id", "updated_at")
    assert FEEDS["product/events"].version_key == ("event_id",)
    assert FEEDS["product/events"].raw_table == "raw.product_events"
    assert FEEDS["product/events"].waiting_table == "quarantine.waiting_product_events"
    assert FEEDS["crm/accounts"].waiting_table is None
    assert FEEDS["crm/owners"].waiting_table is None
    is_deleted = {feed.name: feed.columns[-1] for feed in FEEDS.values()}
    assert {column.name for column in is_deleted.values()} == {"is_deleted"}
    assert [name for name, column in is_deleted.items() if column.refuses_row] == ["crm/accounts"]
    assert all("_fivetran_deleted" in column.aliases for column in is_deleted.values())


@pytest.mark.parametrize(
    ("old", "new", "line_of", "message"),
    [
        ("    type: id\n", "    type: word\n", "    type: id\n", "the type of column owner_id is word"),
        ("  email:", "  name:", "  email:", "name is here twice, first in line"),
        ("    format: email", "    formta: email", "    format: email", "has no property formta"),
        ("max_age_days: 35", "max_age: 35", "max_age_days", "a contract has no property max_age"),
        ("max_age_days: 35", "max_age_days: often", "max_age_days", "max_age_days is often"),
        ("precedence: updated_at\n", "", "description", "the contract has no precedence"),
        ("precedence: updated_at", "precedence: last_landed", "precedence", "has a column updated_at"),
        ("precedence: updated_at", "precedence: newest", "precedence", "precedence is newest"),
        ("key: [owner_id]", "key: [owner]", "key: ", "key names owner, which is no column"),
        ("key: [owner_id]", "key: [owner_id, owner_id]", "key: ", "owner_id is in the list twice"),
        ("key: [owner_id]", "key: [email]", "key: ", "email is part of the key and not required"),
        ("key: [owner_id]", "key: [", "max_age_days", "not valid YAML"),
        (
            "    type: bool",
            "    type: bool\n    values: [yes, no]",
            "    example: true",
            "has values, and is of type",
        ),
        ("    type: bool", "    type: enum\n    values: [on, 1]", "    example: true", "on is not text"),
        ("    type: bool", "    type: enum\n    values: [good, 1]", "    example: true", "1 is not text"),
        (
            "    type: bool",
            "    type: enum\n    values: {yes: []}",
            "    example: true",
            "the name yes is not",
        ),
        (
            "    type: bool",
            "    type: enum\n    values: {a: [x], b: [X]}",
            "    example: true",
            "means a and b",
        ),
        ("    type: bool", "    type: enum", "    type: bool", "is an enum without values"),
        ("    type: bool", "    type: int\n    min: '0'", "    example: true", "the bound '0' is no number"),
        ("    type: bool", "    type: int", "    example: true", "the example of column is_active is true"),
        (
            "    pii: identifier\n    example: o1",
            "    example: o1",
            "  owner_id:",
            "whether it holds personal",
        ),
        ("    pii: identifier\n    example: o1", "    pii: no\n    example: o1", "    pii: ", "pii is no"),
        ("    required: true", "    required: maybe", "    required", "'maybe' is no truth value"),
        (
            "    required: true",
            "    required: true\n    on_bad_value: value",
            "    pii: identifier",
            "a bad value always costs the row",
        ),
        (
            "    description: The owner's id in the CRM.\n",
            "",
            "  owner_id:",
            "column owner_id has no description",
        ),
        ("  owner_id:", "  Owner-Id:", "  owner_id:", "has no name for a column"),
    ],
)
def test_a_mistake_in_a_contract_is_refused_with_file_and_line(
    contracts: Path, old: str, new: str, line_of: str, message: str
) -> None:
    assert old in OWNERS
    file = contracts / "crm__owners.yml"
    file.write_text(OWNERS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        load_feeds(contracts)
    assert message in refused.value.problem
    assert (refused.value.file, refused.value.line) == (file, lines_of(line_of))


@pytest.mark.parametrize("name", ["crm_owners.yml", "crm__Owners.yml", "crm__owners.yaml", "__owners.yml"])
def test_a_contract_that_is_named_for_no_feed_is_refused(contracts: Path, name: str) -> None:
    (contracts / name).write_text(OWNERS, encoding="utf-8")
    with pytest.raises(UsageError, match="named for no feed"):
        load_feeds(contracts)


def test_two_feeds_do_not_share_a_table(contracts: Path) -> None:
    for name in ("crm_sales__calls.yml", "crm__sales_calls.yml"):
        (contracts / name).write_text(OWNERS, encoding="utf-8")
    with pytest.raises(UsageError, match=r"its table raw\.crm_sales_calls is that of crm/sales_calls"):
        load_feeds(contracts)


def test_a_column_that_staging_does_not_select_is_refused(contracts: Path) -> None:
    file = contracts / "crm__owners.yml"
    column = "  phone: {description: Its number., type: text, pii: personal}\n"
    file.write_text(OWNERS.rstrip("\n") + "\n" + column, encoding="utf-8")
    with pytest.raises(UsageError, match="stg_crm__owners does not select the column phone") as refused:
        require_sound_contracts(contracts)
    assert (refused.value.file, refused.value.line) == (file, OWNERS.count("\n") + 1)
    file.write_text(OWNERS + column.replace("type:", "is_staged: false, type:"), encoding="utf-8")
    load_feeds.cache_clear()
    require_sound_contracts(contracts)


def test_a_comment_selects_nothing(contracts: Path, tmp_path: Path) -> None:
    models = tmp_path / "staging"
    shutil.copytree(STAGING, models)
    model = models / "crm" / "stg_crm__owners.sql"
    text = model.read_text(encoding="utf-8")
    model.write_text("-- email\n{# email #}\n" + text.replace("        'email',\n", ""), encoding="utf-8")
    with pytest.raises(UsageError, match="does not select the column email"):
        require_sound_contracts(contracts, models)
    model.unlink()
    with pytest.raises(UsageError, match="no staging model reads crm/owners"):
        require_sound_contracts(contracts, models)


def test_a_word_of_sql_names_no_column(contracts: Path) -> None:
    column = "  order: {description: A place., type: int, is_staged: false}\n"
    (contracts / "crm__owners.yml").write_text(OWNERS + column, encoding="utf-8")
    with pytest.raises(UsageError, match="order is a word of SQL"):
        require_sound_contracts(contracts)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project to change."""
    copy = tmp_path / "radar"
    ignored = shutil.ignore_patterns(".*", "var", "tests", "__pycache__", "*.egg-info")
    shutil.copytree(PROJECT, copy, ignore=ignored)
    shutil.copytree(SEEDS, copy / "seeds", dirs_exist_ok=True)
    return copy


def run_in(project: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RADAR_")}
    return subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


RADAR = "from radar.cli.main import main; main()"


@pytest.mark.parametrize(
    "arguments", [("run", "--extracts", "extracts", "--warehouse", "w.duckdb"), ("rules", "check")]
)
def test_commands_stop_at_a_broken_contract_before_anything_lands(
    project: Path, arguments: tuple[str, ...]
) -> None:
    (project / "extracts").mkdir()
    (project / "feeds/contract/crm__owners.yml").write_text(OWNERS.replace("type: bool", "type: boolean"))
    done = run_in(project, RADAR, *arguments)
    assert done.returncode == 2, done.stderr
    line = lines_of("    type: bool")
    assert f"crm__owners.yml, line {line}: the type of column is_active is boolean" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "w.duckdb").exists()


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
LAND = """
import sys
from datetime import date, datetime
from pathlib import Path
import duckdb
from radar.landing.land import land
from radar.quality.hygiene import check
con, now = duckdb.connect("w.duckdb"), datetime(2026, 3, 2)
land(con, Path("extracts"), run_id="r", batch_id=1, now=now)
check(con, run_id="r", batch_id=1, now=now, as_of_end=date(2026, 3, 1), seeds=Path("seeds"), docs=None)
print(con.execute("select call_id, minutes from raw.phone_calls order by all").fetchall())
print(con.execute("select column_name, rule from quarantine.rejected_values").fetchall())
"""


def test_a_feed_of_ones_own_is_a_contract_a_staging_model_and_a_row(project: Path) -> None:
    (project / "feeds/contract/phone__calls.yml").write_text(CALLS)
    done = run_in(project, RADAR, "rules", "check")
    assert "no staging model reads phone/calls" in done.stderr
    model = project / "dbt_project/models/staging/phone/stg_phone__calls.sql"
    model.parent.mkdir()
    columns = "['call_id', 'account_id', 'minutes', 'called_at']"
    model.write_text(
        f"{{{{ newest_version(source('phone', 'calls'), key=['call_id'], columns={columns}) }}}}\n"
    )
    with (project / "seeds/feeds.csv").open("a") as seed:
        seed.write("phone/calls,true,7,,\n")
    done = run_in(project, "from radar.landing.contract_files import main; main()")
    assert done.stdout.splitlines() == [
        "wrote dbt_project/models/staging/phone/_phone__staging.yml",
        "wrote docs/feeds.md",
    ]
    assert "### phone/calls" in (project / "docs/feeds.md").read_text(encoding="utf-8")
    properties = yaml.safe_load((model.parent / "_phone__staging.yml").read_text(encoding="utf-8"))
    (table,) = properties["sources"][0]["tables"]
    assert (table["name"], table["identifier"]) == ("calls", "phone_calls")
    (grain,) = properties["models"][0]["data_tests"]
    assert grain == {"valid_rows": {"arguments": {"columns": ["call_id"], "not_null": ["call_id"]}}}
    assert run_in(project, RADAR, "rules", "check").stdout == "The rules are sound.\n"
    for feed, rows in {
        "crm/accounts": "account_id,name,created_at\na1,Acme,2026-01-01\n",
        "phone/calls": "call_id,account_id,minutes,called_at\nc1,a1,5,2026-03-01\nc2,a1,-5,2026-03-01\n",
    }.items():
        (project / "extracts" / feed).mkdir(parents=True)
        (project / "extracts" / feed / "day.csv").write_text(rows)
    done = run_in(project, LAND)
    assert done.stdout.splitlines() == ["[('c1', 5), ('c2', None)]", "[('minutes', 'out_of_range')]"], done


# What derives from the contracts


@pytest.mark.parametrize("path", derived_files(), ids=lambda path: path.name)
def test_files_that_are_derived_agree_with_the_contracts(path: Path) -> None:
    """`make contracts` writes them again."""
    assert path.read_text(encoding="utf-8") == derived_files()[path]


def test_the_examples_of_the_contracts_land_whole(inbox: Inbox) -> None:
    for feed in FEEDS.values():
        inbox.put(f"{feed.name}/example.csv", example_csv(feed))
    reports = {report.feed: report for report in inbox.land()}
    assert inbox.rejected() == inbox.rejected("rejected_values") == []
    assert {name: report.rows_landed for name, report in reports.items()} == dict.fromkeys(FEEDS, 1)


def test_the_shipped_seed_has_the_ages_of_the_contracts() -> None:
    """What an installation has in its own seeds/feeds.csv decides; a contract says what ships."""
    with (SEEDS / "feeds.csv").open(encoding="utf-8", newline="") as lines:
        shipped = {
            row["feed"]: (row["is_used"], row["max_age_days"], row["key"]) for row in csv.DictReader(lines)
        }
    assert shipped == {
        feed.name: ("true", "" if feed.max_age_days is None else str(feed.max_age_days), "")
        for feed in FEEDS.values()
        if feed.name in shipped
    }


def test_every_feed_has_a_source_and_a_documented_staging_model() -> None:
    for feed in FEEDS.values():
        file = STAGING / feed.source / f"_{feed.source}__staging.yml"
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))
        (table,) = (one for one in spec["sources"][0]["tables"] if one["name"] == feed.feed)
        assert [column["name"] for column in table["columns"]] == list(feed.column_names)
        (model,) = (one for one in spec["models"] if one["name"] == feed.staging_model)
        assert all(column.get("description") for column in (*table["columns"], *model["columns"]))


_NEWEST = re.compile(
    r"newest_version[(].*?key=(\[[^]]*\]).*?(?:version='(\w+)')?"
    r"(?:,\s*amount='\w+',\s*amount_at='\w+')?\s*[)] [}]{2}",
    re.DOTALL,
)


def test_staging_takes_key_and_precedence_of_the_contract() -> None:
    """Those that have a query of their own: versions of accounts, claims of identities, rows of events."""
    found = {
        feed.name: match.groups()
        for feed in FEEDS.values()
        if (match := _NEWEST.search((STAGING / feed.source / f"{feed.staging_model}.sql").read_text("utf-8")))
    }
    assert not found.keys() & {"crm/accounts", "crm/identities", "product/events"}
    assert len(found) > 10
    for name, (key, version) in found.items():
        assert tuple(ast.literal_eval(key)) == FEEDS[name].key, name
        assert version == ("updated_at" if FEEDS[name].has_versions else None), name


def test_the_example_has_a_value_for_every_required_column() -> None:
    for feed in FEEDS.values():
        (row,) = csv.DictReader(io.StringIO(example_csv(feed)))
        assert all(row[column.name] for column in feed.columns if column.required), feed.name
