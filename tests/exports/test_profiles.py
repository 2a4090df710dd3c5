"""The profiles that ship agree with the mart and with their destination; a wrong one is refused by name."""

from pathlib import Path

import pytest
import small_mart
import yaml

from exports.profiles import FOLDER, check_against_mart, load_profile, load_profiles
from radar.errors import InputError, UsageError

NAMES = ["generic", "hubspot_companies"]


def test_all_profiles_of_the_folder_load() -> None:
    assert [profile.name for profile in load_profiles()] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_mapped_column_is_in_the_mart(name: str) -> None:
    check_against_mart(load_profile(FOLDER / f"{name}.yml"), small_mart.COLUMNS)


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
    ("edit", "told"),
    [
        (("delimiter: ", "delimeter: "), r"dialect\.delimiter: Field required"),
        (("key: account_id", "key: account_id\ncolour: red"), r"colour: Extra inputs"),
        (("key: account_id", "key: account_id\nkey: owner_id"), r"key stands twice"),
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
    ],
)
def test_a_wrong_profile_is_refused_with_file_and_place(
    tmp_path: Path, edit: tuple[str, str], told: str
) -> None:
    text = (FOLDER / "generic.yml").read_text(encoding="utf-8")
    assert edit[0] in text
    wrong = tmp_path / "generic.yml"
    wrong.write_text(text.replace(edit[0], edit[1], 1), encoding="utf-8")
    with pytest.raises(InputError, match=told) as error:
        load_profile(wrong)
    assert str(wrong) in str(error.value)


def test_every_profile_says_where_it_goes() -> None:
    for file in FOLDER.glob("*.yml"):
        assert file.read_text(encoding="utf-8").startswith("# ")
        assert yaml.safe_load(file.read_text(encoding="utf-8"))["destination"]
