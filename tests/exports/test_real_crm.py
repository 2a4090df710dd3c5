"""An exported file goes into a CRM that really runs; every row and character is found there again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_mart
from small_mart import DAY, change
from tryton import Tryton, running

from radar.exports.writer import export

pytestmark = pytest.mark.slow

NAMES = [
    "Müller & Söhne GmbH, Zürich",
    'The "Quoted" Company; with; semicolons',
    "O'Hara \\ Backslash / Slash",
    "日本電気株式会社",
    "Компания «Ёж»",
    "شركة الاختبار",
    "חברת בדיקה (RTL) 123",
    "👩‍👩‍👧 Family & 🇩🇪 Flag",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠜎 four bytes",
    "Café in two characters",
    "<script>alert('x')</script>",
    "Robert'); DROP TABLE party_party;--",
    "100 % of {{ templates }} ${HOME} %s",
    "Null",
    "N/A",
    "1e5",
    "00123",
    "ﬁ ligature, ẞ sharp s, İ dotted",
]
REASON = 'First line\nsecond, with "quotes" 😀 and \ta tab\r\nthird: שלום مرحبا'
LIVE = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"]


@pytest.fixture(scope="module")
def crm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tryton]:
    with running(tmp_path_factory.mktemp("tryton")) as tryton:
        yield tryton


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def rows_of(folder: Path, of: str = "files") -> list[dict[str, str]]:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows: list[dict[str, str]] = []
    for file in manifest[of]["files"] if of == "undo" else manifest[of]:
        text = (folder / file["name"]).read_bytes().decode()
        rows += csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return rows


def mapped(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {row["account_id"]: row for row in rows}


def test_every_row_and_every_character_arrives(warehouse: Path, out: Path, crm: Tryton) -> None:
    names = [*NAMES, *LIVE]
    small_mart.fill(warehouse, len(names))
    for number, name in enumerate(names):
        change(
            warehouse,
            f"update marts.rpt_account_health set account_name = {quoted(name)}, reason_2 = {quoted(REASON)}"
            f" where account_id = 'a{number:06d}'",
        )
    (first,) = export(warehouse, out, run_id="r1", as_of=DAY, profiles=["generic"])
    assert (first.rows, first.rejected_rows) == (len(NAMES) + len(LIVE), 0)
    crm.take(rows_of(first.folder), "account_id", "account_name")

    held = crm.rows()
    assert held == mapped(rows_of(first.folder))
    names = {f"a{number:06d}": name for number, name in enumerate(NAMES)}
    assert names.items() <= crm.names().items()
    assert set(LIVE).isdisjoint(crm.names().values())
    assert {row["reason_2"] for row in held.values()} == {REASON}
    text = (first.folder / "rejected.csv").read_bytes().decode("utf-8-sig")
    rejected = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["account"] for row in rejected] == [f"a{len(NAMES) + at:06d}" for at in range(len(LIVE))]
    assert not [row for row in rejected if row["cell"][0] != "'"], (
        "told to a person in a form that is not live"
    )

    change(
        warehouse,
        "update marts.rpt_account_health set bucket = 'at_risk', reason_1 = 'naïve ☂' "
        "where account_id = 'a000003';"
        "delete from marts.rpt_account_health where account_id = 'a000004'",
    )
    (second,) = export(warehouse, out, run_id="r2", as_of=DAY, profiles=["generic"])
    crm.take(rows_of(second.folder), "account_id", "account_name")
    changed = crm.rows()
    assert (changed["a000003"]["reason_1"], changed["a000004"]["bucket"]) == ("naïve ☂", "not_scored")
    assert {key for key in held if changed[key] != held[key]} == {"a000003", "a000004"}
    crm.take(rows_of(second.folder, "undo"), "account_id", "account_name")
    assert crm.rows() == held, "the files beside the set took it back"
