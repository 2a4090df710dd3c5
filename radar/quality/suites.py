"""The suites: what follows from a feed's contract, and what people add in `<source>_<feed>.yml`.

Both are in Great Expectations' own schema. A file holds what no contract can say (several columns, other
feeds, reference data); an expectation of it that has the name of a derived one replaces that. Every
expectation has `type description kwargs severity meta`, and in `meta` what follows from it: `check` its name;
`action` what becomes of failing rows: `reject_row` to quarantine, `null_value` the value goes and the row
stays, `wait` until the account arrives, `tell` nothing; `rule` the name under which quarantine lists them;
`column` where kwargs name none; `words` the table of `hygiene` whose words the column should have, where no
set of values names them. A query may read `raw.*`, `hygiene.reference_plans`, `_product_events` and
`_ticket_statuses`, `hygiene.accounts_<source>` (ids that are an account for the feeds of a source) and
`hygiene.folded_name(name)` (by which names of events are compared); it names columns of those with their
table, because a name that is missing there would silently mean the batch's own.

Nothing here imports Great Expectations, so that whoever only lists the checks stays fast. What builds and
runs the suites is `validate.py`; what follows from a failing rule is `hygiene.py`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from radar.core.errors import CheckError
from radar.core.project import PROJECT
from radar.landing.feeds import load_feeds
from radar.quality.base_suite import Entry, base_suite

FOLDER = PROJECT / "expectations"

Action = Literal["reject_row", "null_value", "wait", "tell"]
Severity = Literal["critical", "warning", "info"]

_SUITE_KEYS = {"name", "meta", "expectations"}
_RULE_KEYS = {"type", "description", "kwargs", "severity", "meta"}
_META_KEYS = {"check", "action", "rule", "column", "words"}


@dataclass(frozen=True)
class Rule:
    """One expectation of a feed: `check` names it, `rule` is what its failing rows are recorded under."""

    feed: str
    check: str
    expectation_type: str
    description: str
    severity: Severity
    action: Action
    rule: str | None
    column: str | None
    kwargs: dict[str, Any] = field(compare=False)
    words: str | None = None


@dataclass(frozen=True)
class Expectation:
    """One entry of a suite as it is written, the `number`-th of `file` or derived from it."""

    file: Path
    number: int
    entry: Entry

    @property
    def check(self) -> str:
        """Its name."""
        return str(self.entry["meta"]["check"])

    def refused(self, why: str) -> CheckError:
        """The error about it."""
        return CheckError(
            f"expectation {self.number} is not valid: {why}", "correct its entry in the suite", file=self.file
        )


@cache
def suites() -> dict[str, tuple[Expectation, ...]]:
    """Feed (`<source>/<feed>`) -> its expectations: of keys and values, its own, then of times and volume."""
    own = dict(map(read_suite, sorted(FOLDER.glob("*.yml"))))
    unknown = sorted(own.keys() - load_feeds().keys())
    if unknown:
        file = FOLDER / f"{table_name(unknown[0])}.yml"
        raise CheckError(
            f"there is no feed {unknown[0]}", "write its contract, or delete the suite", file=file
        )
    return {name: merged(name, own.get(name, ())) for name in load_feeds()}


@cache
def rules() -> dict[str, tuple[Rule, ...]]:
    """Feed (`<source>/<feed>`) -> its rules in the order of its suite."""
    return {feed: tuple(_rule(feed, one) for one in found) for feed, found in suites().items()}


def table_name(feed: str) -> str:
    """The name of the feed's table, suite and page: `product/events` -> `product_events`."""
    return feed.replace("/", "_")


def path_of(feed: str) -> Path:
    """The file of the feed's own expectations; its contract where it has none."""
    own = FOLDER / f"{table_name(feed)}.yml"
    return own if own.is_file() else load_feeds()[feed].file


def merged(feed: str, own: tuple[Expectation, ...]) -> tuple[Expectation, ...]:
    """What the contract derives, with the feed's own expectations in place of those of the same name."""
    contract = load_feeds()[feed]
    replacing = {one.check: one for one in own}
    first, last = base_suite(contract)
    names = [entry["meta"]["check"] for entry in (*first, *last)]
    derived = [
        replacing.get(name, Expectation(contract.file, number, entry))
        for number, (name, entry) in enumerate(zip(names, (*first, *last), strict=True), start=1)
    ]
    added = [one for one in own if one.check not in names]
    return (*derived[: len(first)], *added, *derived[len(first) :])


def read_suite(path: Path) -> tuple[str, tuple[Expectation, ...]]:
    """The feed and the expectations of one file. Raises CheckError naming the file and the expectation."""
    spec = read_yaml(path)
    if not isinstance(spec, dict) or set(spec) != _SUITE_KEYS:
        raise CheckError(f"a suite has exactly the keys {sorted(_SUITE_KEYS)}", "correct the keys", file=path)
    feed = (spec["meta"] or {}).get("feed", "")
    if spec["name"] != path.stem or table_name(feed) != path.stem:
        raise CheckError(
            "name, meta.feed and the file's name do not agree",
            "name the file <source>_<feed>.yml, the suite <source>_<feed>, and meta.feed <source>/<feed>",
            file=path,
        )
    found = tuple(Expectation(path, number, entry) for number, entry in enumerate(spec["expectations"], 1))
    names = [_rule(feed, one).check for one in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CheckError(f"two expectations are called {twice[0]}", "give each its own meta.check", file=path)
    return feed, found


def _rule(feed: str, expectation: Expectation) -> Rule:
    entry = expectation.entry
    if not isinstance(entry, dict) or set(entry) != _RULE_KEYS:
        raise expectation.refused(f"it has not exactly the keys {sorted(_RULE_KEYS)}")
    meta, kwargs = entry["meta"] or {}, entry["kwargs"] or {}
    unknown = sorted(set(meta) - _META_KEYS)
    if unknown or not {"check", "action"} <= set(meta):
        raise expectation.refused(f"meta takes check and action, at most {sorted(_META_KEYS)}")
    for name, value, allowed in (
        ("action", meta["action"], get_args(Action)),
        ("severity", entry["severity"], get_args(Severity)),
    ):
        if value not in allowed:
            raise expectation.refused(f"{name} is {value}, not one of {', '.join(allowed)}")
    column = meta.get("column", kwargs.get("column"))
    if meta["action"] != "tell" and not (column and meta.get("rule")):
        raise expectation.refused(f"action {meta['action']} needs a column and meta.rule")
    return Rule(
        feed=feed,
        check=meta["check"],
        expectation_type=entry["type"],
        description=entry["description"],
        severity=entry["severity"],
        action=meta["action"],
        rule=meta.get("rule"),
        column=column,
        kwargs=kwargs,
        words=meta.get("words"),
    )


def read_yaml(path: Path) -> Any:
    """The file's content; a key that is there twice is an error, where YAML would keep the last one."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 a SafeLoader
    except yaml.YAMLError as error:
        raise CheckError(f"not valid YAML: {error}", "correct the file", file=path) from error


_SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where PyYAML was built with it


class _StrictLoader(_SafeLoader):  # type: ignore[misc, valid-type]
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key} is there twice", node.start_mark
                )
        return super().construct_mapping(node, deep)  # type: ignore[no-any-return]
