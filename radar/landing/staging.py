"""Whether dbt follows the contracts: every feed has a staging model, and that selects its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import duckdb

from radar.core.errors import UsageError
from radar.core.project import PROJECT
from radar.landing.feeds import CONTRACTS, Feed, load_feeds

STAGING = PROJECT / "dbt_project" / "models" / "staging"

_COMMENT = re.compile(r"--[^\n]*|/[*].*?[*]/|[{]#.*?#[}]", re.DOTALL)


@cache
def require_sound_contracts(folder: Path = CONTRACTS, models: Path = STAGING) -> None:
    """Raise UsageError with file and line for a contract that landing or dbt could not follow.

    To be called before anything lands: what a model does not select would be lost silently.
    """
    feeds = load_feeds(folder).values()
    _require_free_names(feeds)
    for feed in feeds:
        _require_staged(feed, models)


def _require_staged(feed: Feed, models: Path) -> None:
    file = models / feed.source / f"{feed.staging_model}.sql"
    try:
        query = _COMMENT.sub(" ", file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(
            f"no staging model reads {feed.name}",
            f"write models/staging/{feed.source}/{file.name} in the dbt project",
            file=feed.file,
            line=1,
        ) from None
    selected = set(re.findall(r"\w+", query))
    for column in feed.columns:
        if column.is_staged and column.name not in selected:
            raise UsageError(
                f"{feed.staging_model} does not select the column {column.name}",
                f"select it in {file.name}, or write is_staged: false where no model is to see it",
                file=feed.file,
                line=column.line,
            )


def _require_free_names(feeds: Iterable[Feed]) -> None:
    with duckdb.connect(config={"threads": 1}) as con:
        reserved = "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        words = {word for (word,) in con.execute(reserved).fetchall()}
    for feed in feeds:
        for column in feed.columns:
            if column.name in words:
                raise UsageError(
                    f"{column.name} is a word of SQL and cannot name a column",
                    "give the column another name, and list this one under its aliases",
                    file=feed.file,
                    line=column.line,
                )
