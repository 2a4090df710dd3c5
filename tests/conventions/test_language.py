"""The words of the project: what names, descriptions and comments do not use, and what they use instead.

Text literals are not read: what models render for people (evidence, reasons, review texts) and the values of
public columns keep their words.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from radar.core.project import PROJECT

INSTEAD = {
    r"(?:un)?told": "recorded, reported, evaluated, scored, rebuilt or undelivered",
    r"hold|holds|held|holding": "fires, blocked, suppressed, clamped, in force or has",
    r"spans?|spells?": "interval or streak",
    r"rechecks?|rechecked|late points?": "restated",
    r"said|says|spoken|in words": "label, text or rendered",
    r"stands?|stood|lie|lies|hangs?|hung|behind": "is in, depends on or after",
    r"beside|besides|anew": "next to, again",
    r"house": "installation or company",
    r"carriers?": "channel",
    r"settles? a doubt|gives? up|gave up": "resolve an in-doubt delivery, dismiss",
}
"""What is not written, and what is: the patterns read whole words, in names too."""

BARE_CHAMPION = re.compile(r"\bchampions?\b(?!(?:'s)? rule set)")
"""The champion rule set has its two words, in text: `champion` alone is the role of a contact."""

ORDINARY = re.compile(r"hold|holds|held|says|lies?|behind|besides")
"""Words with an ordinary meaning outside models (to hold a lock, behind a proxy)."""

PUBLIC = {
    "as held": "column of marts.rpt_rule_firings",
    "sum(held": "column of marts.rpt_rule_firings",
    "carrier": "column of audit.deliveries",
    "sync_give_up": "the command radar sync-give-up",
    "assert_every_scored_account_is_told": "check that Dagster shows",
    "assert_interval_holds_score": "check that Dagster shows",
    "carrier as destination": "column of audit.deliveries",
    "champion (exactly one": "value of seeds/rule_sets.csv",
    "champion (people see its scores": "value of rule_set_status",
    "champion and sponsor": "values of a contact's role",
    "champion or shadow": "values of rule_set_status",
    "has_active_champion": "signal",
    "held (blocked": "state of a feed",
    "held_arr_usd": "column of marts.rpt_rule_firings",
    "name: held": "column of marts.rpt_rule_firings",
    "not_told": "value of marts.rpt_override_scoreboard.who_was_right",
    "recheck_days": "var of the dbt project",
    "role champion": "value of a contact's role",
}
"""What is public keeps its name, in texts about it too. With what it is."""

VARIABLES = {"house", "home", "place"}
MODULES = {"kept", "copy", "lookup", "handover", "order", "parsed", "unrecorded", "unused", "dice"}
"""Names that do not name the thing: of variables, and of modules."""

AREAS = ("dbt_project", "radar", "orchestration")
"""Folders that are read."""


class Text(NamedTuple):
    """A name, a description or a comment, and where it is."""

    place: str
    text: str
    is_prose: bool


def texts(folder: Path) -> Iterator[Text]:
    """All of a folder: its SQL, YAML and Python."""
    readers = {".sql": of_sql, ".yml": of_yaml, ".py": of_python}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix not in readers or name.startswith("target/"):
            continue
        yield Text(name, path.stem, is_prose=False)
        for text, is_prose in readers[path.suffix](path.read_text(encoding="utf-8")):
            yield Text(name, text, is_prose)


def of_sql(source: str) -> Iterator[tuple[str, bool]]:
    """The comments of a model, macro or test, and its code without text literals."""
    comments = re.compile(r"{#.*?#}|(?:^|(?<=\s))--[^\n]*(?:\n\s*--[^\n]*)*", re.DOTALL)
    for comment in comments.findall(source):
        yield re.sub(r"\n\s*--", " ", comment), True
    code = re.sub(r"'(?:[^'\n]|'')*'", "''", comments.sub("", source))
    yield from ((line, False) for line in code.splitlines() if line.strip())


def of_yaml(source: str) -> Iterator[tuple[str, bool]]:
    """Names, descriptions, settings and comments; not the rows of unit tests."""
    for block in re.findall(r"^\s*#.*(?:\n\s*#.*)*", source, re.MULTILINE):
        yield re.sub(r"\n\s*#", " ", block), True

    def of(value: Any) -> Iterator[tuple[str, bool]]:
        if isinstance(value, list):
            for one in value:
                yield from of(one)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key not in ("given", "expect", "overrides"):
                    yield from (
                        [(f"{key}: {inner}", False)] if key == "name" else [(str(key), False), *of(inner)]
                    )
                if key == "description":
                    yield str(inner), True

    yield from of(yaml.safe_load(source))


def of_python(source: str) -> Iterator[tuple[str, bool]]:
    """The names that a module gives, its docstrings and its comments."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string, True
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                yield re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name), False
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, False
            case ast.Expr(value=ast.Constant(value=str(docstring))):
                yield docstring, True


def wrong(found: Text, ordinary: bool = False) -> list[str]:
    """The words of a text that are not written here, each with what is; `ordinary` ones may be in prose."""
    text = re.sub(r"\s+", " ", found.text)
    for public in PUBLIC:
        text = re.sub(rf"\b{re.escape(public)}(?!\w)", "", text)
    champions = BARE_CHAMPION.findall(text) if found.is_prose else []
    plain = text.replace("_", " ").lower()
    words = [
        f"{word!r}: {instead}"
        for pattern, instead in INSTEAD.items()
        for word in re.findall(rf"\b(?:{pattern})\b", plain)
        if not (ordinary and found.is_prose and ORDINARY.fullmatch(word))
    ]
    if found.place.endswith(".py") and not found.is_prose:
        words += [f"{name!r}: a noun that names the thing" for name in (VARIABLES & {text})]
        words += (
            [f"{text!r}: a module that names the thing"]
            if text in MODULES and text == Path(found.place).stem
            else []
        )
    words += [f"{word!r}: champion rule set" for word in champions]
    return [f"{found.place}: {word}, in {text.strip()[:100]!r}" for word in words]


@pytest.mark.parametrize("area", AREAS)
def test_names_descriptions_and_comments_use_the_words_of_the_trade(area: str) -> None:
    assert [line for text in texts(PROJECT / area) for line in wrong(text, area != "dbt_project")] == []


def test_what_is_public_is_still_there() -> None:
    read = " ".join(re.sub(r"\s+", " ", text.text) for area in AREAS for text in texts(PROJECT / area))
    assert [public for public in PUBLIC if public not in read] == []


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("m.sql", "-- told by\n-- the champion\nselect 1", ["told", "champion"]),
        (
            "m.sql",
            "{# what stands beside it #}\nselect 'told' as late_points, is_held",
            ["stands", "beside", "late points", "held"],
        ),
        ("m.sql", "-- a champion rule set is recorded\nselect 'it''s held' as threshold, not_told", []),
        ("told_days.sql", "select 1", ["told"]),
        (
            "m.yml",
            "models: [{name: int_spans, description: It says so}]\n# anew\n",
            ["anew", "spans", "says"],
        ),
        ("m.yml", "unit_tests: [{name: test_a, given: [{rows: [{state: held}]}], expect: {rows: []}}]", []),
        (
            "m.py",
            'def tell_anew(house: str) -> str:\n    """What it told."""\n',
            ["anew", "house", "house", "told"],
        ),
        ("lookup.py", "place = 1  # kept behind\n", ["lookup", "place", "behind"]),
        ("m.py", 'text = "told"\n', []),
    ],
)
def test_where_words_are_looked_for(tmp_path: Path, name: str, source: str, words: list[str]) -> None:
    (tmp_path / name).write_text(source, encoding="utf-8")
    found = [re.search(r": '([^']+)': ", line) for text in texts(tmp_path) for line in wrong(text)]
    assert sorted(match[1] for match in found if match) == sorted(words)
