"""Writes what is derived from the contracts and has to be a file: `make contracts`.

Of the dbt project `models/staging/<source>/_<source>__staging.yml`, with the source's tables, its staging
models and the description of every column; of docs/feeds.md the part between its two marks. dbt and people
read them as they are, so they are committed, and a test fails where one of them is not what its contract
says. What the files say beyond the contracts (other tests, columns that staging computes, prose) stays as it
is: also the grain of models that do not have one row per key, which are versions of accounts, claims of
identities and rows of events.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from radar.core.project import PROJECT
from radar.landing.feeds import (
    ACCOUNTS,
    ALLOWED,
    EVERY_ROW,
    REPORTED,
    TIMES,
    UPDATED_AT,
    Column,
    Feed,
    load_feeds,
)
from radar.landing.staging import STAGING

REFERENCE = PROJECT / "docs" / "feeds.md"
BEGIN, END = "<!-- written by make contracts: begin -->", "<!-- written by make contracts: end -->"

_HEADER = """\
# Descriptions of tables, models and columns come from feeds/contract where it has them: make contracts.
"""
_PRECEDENCE = {
    UPDATED_AT: "the newest `updated_at` wins, then the row that landed last",
    EVERY_ROW: "every row counts",
}
_LAST_LANDED = "the row that landed last wins"

Entry = dict[str, Any]


def derived_files() -> dict[Path, str]:
    """Path -> what it has to hold, for every file that is derived."""
    feeds = load_feeds()
    by_source = groupby(feeds.values(), key=lambda feed: feed.source)
    files = {}
    for source, found in by_source:
        path = STAGING / source / f"_{source}__staging.yml"
        files[path] = dbt_properties(source, list(found), path.read_text("utf-8") if path.is_file() else "")
    text = REFERENCE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    files[REFERENCE] = f"{before}{BEGIN}\n\n{reference(feeds)}\n{END}{after}"
    return files


def dbt_properties(source: str, feeds: list[Feed], present: str) -> str:
    """The property file of one source, as it is, with every word that the contracts have taken from them."""
    spec = yaml.safe_load(present) or {"version": 2, "sources": [{"name": source, "schema": "raw"}]}
    (origin,) = spec["sources"]
    origin.setdefault("description", f"Rows that landed from {source}, typed, all versions.")
    tables, models = origin.setdefault("tables", []), spec.setdefault("models", [])
    for feed in feeds:
        table = _named(tables, feed.feed)
        table |= {"description": feed.description, "identifier": f"{feed.source}_{feed.feed}"}
        table["columns"] = [
            _described(table.get("columns", []), column, data_type=column.sql_type.lower())
            for column in feed.columns
        ]
        model = _named(models, feed.staging_model)
        staged = [column for column in feed.columns if column.is_staged]
        names = {column.name for column in staged}
        columns = model.pop("columns", [])
        computed = [one for one in columns if one["name"] not in names]
        model["description"] = f"{feed.description} {_rows(feed)}"
        if feed.name != ACCOUNTS and not feed.lands_every_row:
            others = [test for test in model.get("data_tests", []) if "valid_rows" not in test]
            model["data_tests"] = [_grain(feed), *others]
        model["columns"] = [*(_described(columns, column) for column in staged), *computed]
    return _HEADER + yaml.dump(spec, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118)


def _named(entries: list[Entry], name: str) -> Entry:
    found = next((entry for entry in entries if entry["name"] == name), None)
    if found is None:
        entries.append(found := {"name": name})
    return found


def _rows(feed: Feed) -> str:
    """What the rows of the staging model are."""
    if feed.lands_every_row:
        return "One key may have several rows."
    rows = f"One row per {' and '.join(feed.key)}"
    if feed.name == ACCOUNTS:
        return f"{rows} and version."
    if not feed.has_versions:
        return f"{rows}: the one that landed last."
    return f"{rows}." if UPDATED_AT in feed.key else f"{rows}: its newest version."


def _grain(feed: Feed) -> Entry:
    """The test that the staging model has one row per key."""
    required = [column.name for column in feed.columns if column.name in feed.key and column.required]
    return {"valid_rows": {"arguments": {"columns": list(feed.key), "not_null": required}}}


def _described(entries: list[Entry], column: Column, **properties: str) -> Entry:
    """The column's entry, with whatever else it has there, such as tests."""
    present: Entry = next((one for one in entries if one["name"] == column.name), {})
    described = {"name": column.name, "description": column.description, **properties}
    config = {**present.get("config", {})}
    meta = {**config.pop("meta", {})}
    meta.pop("pii", None)
    if column.pii != "none":
        meta["pii"] = column.pii
    if meta:
        config["meta"] = meta
    others = {key: value for key, value in present.items() if key not in (*described, "config")}
    return {**described, **others, **({"config": config} if config else {})}


class _Dumper(yaml.SafeDumper):
    """Lists are indented one step inside what they belong to, as everywhere in the project."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def reference(feeds: dict[str, Feed]) -> str:
    """What to send, feed by feed, in Markdown: columns, what a bad value costs, and a row as an example."""
    common = [column for column in next(iter(feeds.values())).columns if not column.is_own]
    parts = [_section(feed) for feed in feeds.values()]
    everywhere = "\n".join(f"- `{one.name}` ({one.type}): {one.description}" for one in common)
    return "\n\n".join([*parts, f"### Every feed\n\nmay also carry\n\n{everywhere}"]) + "\n"


def _section(feed: Feed) -> str:
    key = " and ".join(f"`{name}`" for name in feed.key)
    age = f"stale after {feed.max_age_days} days without a file" if feed.max_age_days else "never stale"
    columns = [column for column in feed.columns if column.is_own]
    rows = "\n".join(
        f"| `{column.name}`{'*' if column.required else ''} | {column.type} | {_meaning(column)} |"
        f" {'row' if column.refuses_row else 'value'} | {column.pii.replace('_', ' ')} |"
        for column in columns
    )
    return "\n".join(
        (
            f"### {feed.name}",
            "",
            feed.description,
            f"Key: {key}; {_PRECEDENCE.get(feed.precedence, _LAST_LANDED)}; {age}.",
            "",
            "| column | type | meaning | a bad value costs the | personal data |",
            "| --- | --- | --- | --- | --- |",
            rows,
            "",
            "```csv",
            example_csv(feed).rstrip("\n"),
            "```",
        )
    )


def _meaning(column: Column) -> str:
    return " ".join((column.description.replace("|", r"\|"), *_limits(column)))


def _limits(column: Column) -> Iterator[str]:
    if column.words:
        yield "One of " + ", ".join(f"`{word}`" for word in column.words) + "."
    if column.minimum is not None and column.maximum is not None:
        yield f"From {column.minimum} to {column.maximum}."
    elif column.minimum is not None:
        yield f"At least {column.minimum}."
    elif column.maximum is not None:
        yield f"At most {column.maximum}."
    if column.type in TIMES and column.future == ALLOWED:
        yield "May lie in the future."
    if column.type in TIMES and column.future == REPORTED:
        yield "May lie in the future, and is then reported."
    if column.is_open_ended:
        yield "From 2200 on it means no end, and is read as empty."


def example_csv(feed: Feed) -> str:
    """A header and a row that would land."""
    text = io.StringIO()
    columns = [column for column in feed.columns if column.is_own]
    csv.writer(text, lineterminator="\n").writerows(
        ([column.name for column in columns], [column.example for column in columns])
    )
    return text.getvalue()


def main() -> None:
    """Write the files that are not as they have to be."""
    for path, text in derived_files().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(PROJECT)}")


if __name__ == "__main__":
    main()
