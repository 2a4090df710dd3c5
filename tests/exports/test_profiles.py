"""The profiles that ship agree with the mart and with their destination; a wrong one is refused by name."""

import csv
import re
import tempfile
from pathlib import Path

import pytest
import small_mart
import yaml

from radar.core.errors import InputError, UsageError
from radar.exports.profiles import (
    FOLDER,
    check_against_mart,
    check_for_loops,
    load_profile,
    load_profiles,
    origins,
    used_profiles,
    vendors,
    with_every_column,
)
from radar.rules.checks import check
from radar.rules.gathering import gather
from tests.frozen import SEEDS
from tests.rules.seed_folder import SeedFolder
from tests.runs.radar_run import Place

with (SEEDS / "destinations.csv").open(encoding="utf-8", newline="") as _file:
    NAMES = [row["destination"] for row in csv.DictReader(_file)]
"""The profiles that ship; an installation may have more."""


def test_all_profiles_of_the_folder_load() -> None:
    assert {profile.name for profile in load_profiles()} >= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_mapped_column_is_in_the_mart_of_a_whole_run(name: str, demo_run: Place) -> None:
    profile = load_profile(FOLDER / f"{name}.yml")
    types = (
        "select column_name, data_type from duckdb_columns() where schema_name || '.' || table_name = '{}'"
    )
    mart = dict(demo_run.rows(types.format(profile.source)))
    check_against_mart(profile, mart)
    check_for_loops(profile)
    ours = small_mart.MARTS[profile.source]
    assert ours.items() <= mart.items(), "what the tests of files are made on is as the models make it"
    assert origins()[profile.source].keys() <= mart.keys()


def test_what_the_seed_says_is_used_is_used() -> None:
    assert [profile.name for profile in used_profiles(SEEDS)] == ["generic", "hubspot_companies"]


def test_a_destination_that_nobody_knows_is_refused_before_a_run(mine: SeedFolder) -> None:
    mine.folder.mkdir(exist_ok=True)
    (mine.folder / "destinations.csv").write_text("destination,is_used\nkeep,true\n")
    with tempfile.TemporaryDirectory() as scratch:
        (problem,) = check(gather(mine.folder, Path(scratch)))
    assert (problem.file, problem.row, problem.what) == ("destinations.csv", 1, "there is no profile 'keep'")


def test_a_mapped_column_that_the_mart_lacks_is_named() -> None:
    mart = {name: kind for name, kind in small_mart.COLUMNS.items() if name != "next_action"}
    with pytest.raises(InputError, match=r"generic.yml, column next_action: marts.rpt_account_health has no"):
        check_against_mart(load_profile(FOLDER / "generic.yml"), mart)


def test_a_column_that_no_cell_can_hold_is_named() -> None:
    with pytest.raises(
        InputError, match=r"column flags: a column of type STRUCT\(a INTEGER\) cannot be written"
    ):
        check_against_mart(
            load_profile(FOLDER / "generic.yml"), {**small_mart.COLUMNS, "flags": "STRUCT(a INTEGER)"}
        )


def test_the_generic_profile_leaves_no_column_of_the_mart_out() -> None:
    profile = load_profile(FOLDER / "generic.yml")
    assert profile.headers == [column.source for column in profile.columns] == list(small_mart.COLUMNS)


def test_a_column_that_the_mart_gains_follows_into_the_generic_profile_alone() -> None:
    mart = {**small_mart.COLUMNS, "favourite_colour": "VARCHAR"}
    generic, hubspot = (load_profile(FOLDER / f"{name}.yml") for name in ("generic", "hubspot_companies"))
    assert with_every_column(generic, mart).headers == [*generic.headers, "favourite_colour"]
    assert with_every_column(hubspot, mart) == hubspot


def test_hubspot_headers_are_property_names_and_stay_out_of_what_the_crm_owns() -> None:
    profile = load_profile(FOLDER / "hubspot_companies.yml")
    assert all(header.startswith("radar_") for header in profile.headers)
    assert all(header == header.lower() and len(header) <= 100 for header in profile.headers)
    assert profile.limits.rows_per_file < 1_048_576
    assert profile.import_settings["dateFormat"] == "YEAR_MONTH_DAY"
    assert profile.dialect.date_format == "%Y-%m-%d"
    assert profile.import_settings["idProperty"] == profile.headers[0]
    assert profile.import_settings["importOperation"] == "UPDATE"


def test_an_unknown_profile_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"no export profile keap\n.*generic, hubspot_companies"):
        load_profiles(["keap"])


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (("delimiter: ", "delimeter: "), r"dialect\.delimiter: Field required"),
        (("key: account_id", "key: account_id\ncolour: red"), r"colour: Extra inputs"),
        (("key: account_id", "key: account_id\nkey: owner_id"), r"key is there twice"),
        (
            ("rows_per_file: 1000000", "rows_per_file: '9'"),
            r"limits\.rows_per_file: Input should be a valid int",
        ),
        (("as_of_date, compared: false", "as_of_date"), r"as_of_date changes every day"),
        (("header: segment", "header: bucket"), r"two columns have the same header"),
        (("{source: account_id, ", "{source: segment, "), r"the key account_id is not among"),
        (("header: segment", 'header: "=segment"'), r"columns\.4\.header"),
        (('null_token: ""', 'null_token: "-"'), r"dialect\.null_token"),
        (("%Y-%m-%d", "%Y-%m-%d %H"), r"dialect\.date_format"),
        (("name: generic", "name: other"), r"the profile is named other"),
        (("columns:", "columns: ["), r"correct the YAML"),
        (("vendor: any", "vendor: acme"), r"there is no vendor acme"),
        (("object: table", "object: chair"), r"any takes no chair"),
        (("1000000000", "1000000000001"), r"any takes 1,000,000,000,000 bytes a file"),
        (("source: segment, ", "source: segment, value: x, "), r"either a source or a value"),
        (("{bucket: not_scored,", "{colour: not_scored,"), r"removed names colour, which is no header"),
        (
            ("acknowledge: on_write", "acknowledge: on_write\ncreate_only: true"),
            r"only created is never removed",
        ),
    ],
)
def test_a_wrong_profile_is_refused_with_file_and_place(
    tmp_path: Path, edit: tuple[str, str], message: str
) -> None:
    text = (FOLDER / "generic.yml").read_text(encoding="utf-8")
    assert edit[0] in text
    wrong = tmp_path / "generic.yml"
    wrong.write_text(text.replace(edit[0], edit[1], 1), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        load_profile(wrong)
    assert str(wrong) in str(error.value)


def test_every_profile_says_where_it_goes() -> None:
    for file in FOLDER.glob("*.yml"):
        assert file.read_text(encoding="utf-8").startswith("# ")
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["destination"]


@pytest.mark.parametrize(
    ("name", "edit", "message"),
    [
        (
            "hubspot_companies",
            ("rows_per_file: 1000000", "rows_per_file: 1048577"),
            r"hubspot takes 1,048,576 rows",
        ),
        (
            "hubspot_companies",
            ("header: radar_score}", "header: Radar Score}"),
            r"no field called Radar Score",
        ),
        (
            "salesforce_accounts",
            ("bytes_per_file: 90000000", "bytes_per_file: 100000001"),
            r"100,000,000 bytes",
        ),
        ("salesforce_accounts", ('null_token: "#N/A"', 'null_token: ""'), r"empties a field with #N/A"),
        ("salesforce_accounts", ("%Y-%m-%d", "%d.%m.%Y"), r"does not read the date form '%d.%m.%Y'"),
        ("keap_companies", ("rows_per_file: 5000", "rows_per_file: 5001"), r"keap takes 5,000 rows"),
        (
            "pipedrive_organizations",
            ("rows_per_file: 50000", "rows_per_file: 50001"),
            r"pipedrive takes 50,000",
        ),
        ("zoho_accounts", ("rows_per_file: 25000", "rows_per_file: 25001"), r"zoho takes 25,000 rows"),
        ("zoho_accounts", ('delimiter: ","', 'delimiter: "\\t"'), r"zoho does not read the delimiter"),
    ],
)
def test_what_a_vendor_does_not_take_is_refused(
    tmp_path: Path, name: str, edit: tuple[str, str], message: str
) -> None:
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    assert edit[0] in text
    wrong = tmp_path / f"{name}.yml"
    wrong.write_text(text.replace(edit[0], edit[1], 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_profile(wrong)


@pytest.mark.parametrize("vendor", sorted(vendors()))
def test_fields_that_a_crm_owns_are_columns_of_feeds(vendor: str) -> None:
    from radar.landing.feeds import load_feeds  # noqa: PLC0415  seconds

    feeds = load_feeds()
    named = {field for fields in vendors()[vendor].objects.values() for field in fields.values()}
    named |= {field for mart in origins().values() for fields in mart.values() for field in fields}
    for field in named:
        feed, column = field.split(".")
        assert column in {known.name for known in feeds[feed].columns}, field


@pytest.mark.parametrize(
    ("name", "header", "field"),
    [
        ("hubspot_companies", "radar_account_name", "name"),
        ("salesforce_accounts", "Radar_Account_Id__c", "OwnerId"),
        ("zoho_accounts", "Radar_Score", "Account_Name"),
    ],
)
def test_a_profile_that_tells_a_crm_its_own_words_is_refused(
    tmp_path: Path, name: str, header: str, field: str
) -> None:
    sources = {"name": "account_name", "OwnerId": "owner_id", "Account_Name": "account_name"}
    text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
    own = f"  - {{source: {sources[field]}, header: {field}}}\n"
    text = re.sub(rf"  - {{source: {sources[field]}, [^\n]*\n", "", text)
    (tmp_path / f"{name}.yml").write_text(text + own, encoding="utf-8")
    with pytest.raises(InputError, match=f"and {field} is that field"):
        check_for_loops(load_profile(tmp_path / f"{name}.yml"))
