"""Exposures name what consumers really read: models/exposures.yml is compared with their queries.

`meta: {queries: [...]}` of an exposure names the files and folders in which its consumer's queries are. The
published copy has no query of its own: it takes whole schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from radar.core.project import PROJECT
from radar.publishing.contents import ACCOUNT_NAMES, MAIL_CONTACTS, PARQUET, SCHEMAS

MODELS = PROJECT / "dbt_project" / "models"
EXPOSURES: dict[str, dict[str, Any]] = {
    one["name"]: one for one in yaml.safe_load((MODELS / "exposures.yml").read_text("utf-8"))["exposures"]
}
NAMES = {path.stem for path in MODELS.rglob("*.sql")}
SEEDS = {one["name"] for one in yaml.safe_load((MODELS / "reference/_seeds.yml").read_text("utf-8"))["seeds"]}
_RELATION = re.compile(r"\b(marts|scoring|signals|outbound|intermediate|seeds)\.([a-z_]+)\b")


def files(named: str) -> Iterator[Path]:
    path = PROJECT / named
    assert path.exists(), named
    found = path.rglob("*") if path.is_dir() else [path]
    yield from (one for one in found if one.suffix in (".py", ".sql", ".yml"))


def read_by(exposure: dict[str, Any]) -> set[str]:
    """The models and seeds that its queries name with their schema."""
    found = set()
    for named in exposure["config"]["meta"]["queries"]:
        for file in files(named):
            for schema, name in _RELATION.findall(file.read_text("utf-8")):
                if name in (SEEDS if schema == "seeds" else NAMES):
                    found.add(name)
    return found


def depends_on(exposure: dict[str, Any]) -> set[str]:
    return {match[1] for text in exposure["depends_on"] if (match := re.fullmatch(r"ref\('(\w+)'\)", text))}


def published() -> set[str]:
    """Models in the schemas that are published whole: by folder, and facts and reports wherever they are."""
    models = {
        path.stem
        for path in MODELS.rglob("*.sql")
        if path.relative_to(MODELS).parts[0] in SCHEMAS or path.stem.startswith(("fct_", "rpt_"))
        if not (path.stem.startswith("int_") and "marts" in path.parts) and "outbound" not in path.parts
    }
    seeds = SEEDS - {"excluded"}
    return models | seeds | {relation.split(".")[1] for relation in (ACCOUNT_NAMES, MAIL_CONTACTS)}


@pytest.mark.parametrize("name", [name for name, one in EXPOSURES.items() if "config" in one])
def test_an_exposure_depends_on_what_its_queries_read(name: str) -> None:
    assert depends_on(EXPOSURES[name]) == read_by(EXPOSURES[name])


def test_the_published_copy_and_its_parquet_files_are_exposures() -> None:
    assert depends_on(EXPOSURES["published_copy"]) == published()
    assert depends_on(EXPOSURES["parquet_files"]) == {relation.split(".")[1] for relation in PARQUET}


def test_every_consumer_is_an_exposure() -> None:
    assert EXPOSURES.keys() == {
        "panel",
        "agents",
        "backtest",
        "crm_exports",
        "deliveries",
        "explanations",
        "published_copy",
        "parquet_files",
    }
    assert all(one["description"] and one["owner"]["email"] for one in EXPOSURES.values())
