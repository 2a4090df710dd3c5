"""The rules as text: a page for people, written from the reference data alone.

Belongs here: the text of a row of the seeds. Does not belong here: what a rule does to a score; that is the
scoring models', and whether the rows make sense; that is `radar.rules.checks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from radar.rules.seed_tables import Row, Tables, read

OPERATORS = {
    ">=": "at least",
    ">": "more than",
    "<=": "at most",
    "<": "less than",
    "=": "exactly",
    "<>": "other than",
}
STATUSES = {
    "champion": "the champion rule set: people see its scores, and exports, flags and actions follow it",
    "shadow": "a shadow: scored next to the champion rule set to be compared with it, and never exported",
    "candidate": "a candidate: proposed, and not scored yet",
    "retired": "retired: not scored",
}
RANKS = ("lowest", "highest")
RENEWAL = "days_to_renewal"

_HEAD = """\
# The rules

Written by `radar rules docs` from the reference data (`rule_sets.csv`, `rules.csv`, \
`rule_conditions.csv`, `signals.csv`, `feeds.csv`): change those, not this page. Link to a rule by its \
anchor, `#<rule set>-<rule>`.

## How to read a rule

- A score starts at the base of its rule set, adds the points of every rule that fires, and is clamped \
to 0 to 100.
- A rule fires where all of its conditions are true. A row for a segment replaces the general one in that \
segment.
- A threshold is the account's own goal for the signal where it has one (`crm/goals`), else the number \
here.
- A rank, such as the lowest 10 % of that day's customers, compares with the value by which that part of \
them is reached, the limit of that day. Customers are the accounts on a paid plan, or all where no plan is \
known. Where few of them have a value, or many share that one, nobody is in it.
- A signal is unknown where a feed that it needs is missing, stale or blocked. A rule that depends on it \
is then neither true nor false: it adds nothing, and the least and the greatest possible score say what \
it could still do. Where the bucket depends on it, the account is undecided and goes to a person. A signal \
without a value, such as a survey nobody answered, counts as unknown too.
- A weight makes points count several times while the renewal is near. With nothing to renew they count \
once; where the days to renewal are unknown they count once, and the least and the greatest possible \
score cover both.
- A rule that needs a feed which the company does not use (`is_used` false in `feeds.csv`) is off: no \
points, and outside coverage. A weight whose feed is not used counts once.
"""


@dataclass(frozen=True)
class RowText:
    """One row of rules.csv: its segment (empty: all others), its text, and notes."""

    segment: str
    sentence: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class RuleText:
    """A rule, all segments together. Texts are lines of Markdown; `off` is empty where the rule is in use."""

    rule_set: str
    rule_id: str
    title: str
    rows: tuple[RowText, ...]
    needs: str
    off: str


def rule_texts(tables: Tables) -> list[RuleText]:
    """Every rule of every set, in the order of the seeds; cells are text, empty where there is nothing."""
    book = _Book(tables, set(_unused(tables)))
    return [
        _rule_text(book, rule_id, rows)
        for rule_set in tables["rule_sets"]
        for rule_id, rows in book.rules(rule_set["rule_set"]).items()
    ]


def page(seeds: Path) -> str:
    """The whole page for a folder of seeds that `radar.rules.checks.check` finds sound, as Markdown."""
    tables, _ = read(seeds)
    unused = _unused(tables)
    switched_off = (
        f"Feeds that are switched off: {_listed(unused)}." if unused else "No feed is switched off."
    )
    sections = [_HEAD + f"\n{switched_off}"]
    order = list(STATUSES)
    for rule_set in sorted(
        tables["rule_sets"], key=lambda row: (order.index(row["status"]), row["rule_set"])
    ):
        sections += _rule_set(_Book(tables, set(unused)), rule_set)
    return "\n\n".join(sections) + "\n"


def _unused(tables: Tables) -> list[str]:
    return [row["feed"] for row in tables["feeds"] if row["is_used"].lower() == "false"]


class _Book:
    """The seeds as the sentences ask for them."""

    def __init__(self, tables: Tables, unused: set[str]) -> None:
        self.tables, self.unused = tables, unused
        self.signals = {row["signal"]: row for row in tables["signals"]}

    def rules(self, rule_set: str) -> dict[str, list[Row]]:
        """The rows of each rule by its id, the general one first."""
        found: dict[str, list[Row]] = {}
        for row in self.tables["rules"]:
            if row["rule_set"] == rule_set:
                found.setdefault(row["rule_id"], []).append(row)
        return {rule_id: sorted(rows, key=lambda row: row["segment"]) for rule_id, rows in found.items()}

    def conditions(self, rule: Row) -> list[Row]:
        """Of one row of rules.csv, in their order."""
        names = ("rule_set", "rule_id", "segment")
        found = [c for c in self.tables["rule_conditions"] if all(c[name] == rule[name] for name in names)]
        return sorted(found, key=lambda row: int(row["position"]))

    def signal(self, name: str) -> str:
        """A signal as sentences name it."""
        label = self.signals[name]["label"]
        return f"{_plain(label)} (`{name}`)" if label else f"`{name}`"

    def can_be_negative(self, name: str) -> bool:
        """Whether the signal can be below 0."""
        return self.signals[name]["can_be_negative"].lower() == "true"

    def feeds(self, signals: Iterable[str]) -> list[str]:
        """The feeds that these signals need, each once."""
        return list(dict.fromkeys(feed for name in signals for feed in self.signals[name]["feeds"].split()))


def _rule_set(book: _Book, rule_set: Row) -> Iterator[str]:
    name = rule_set["rule_set"]
    watch, healthy = _number(rule_set["watch_from"]), _number(rule_set["healthy_from"])
    yield f'<a id="{name}"></a>\n\n## {name}\n\n{name} is {STATUSES[rule_set["status"]]}.' + (
        f" {_plain(rule_set['description']).rstrip('.')}." if rule_set["description"] else ""
    )
    yield (
        f"A score starts at {_number(rule_set['base_score'])}. Healthy from {healthy}, watch from {watch}, "
        f"at risk below {watch}{_smoothing(rule_set)}."
    )
    rules = book.rules(name)
    if not rules:
        yield "It has no rules here, so it is not scored."
    for rule_id, rows in rules.items():
        yield _rule(book, rule_id, rows)


def _smoothing(rule_set: Row) -> str:
    """What the bucket reads, where that is not the score of the date."""
    days = rule_set["smoothing_days"]
    return f", by the median score of the last {days} scored dates" if days and int(days) > 1 else ""


def _rule(book: _Book, rule_id: str, rows: list[Row]) -> str:
    rule_text = _rule_text(book, rule_id, rows)
    lines = [
        f'<a id="{rule_text.rule_set}-{rule_id}"></a>',
        "",
        f"### {rule_text.title}",
        "",
        f"`{rule_id}`",
        "",
    ]
    for row in rule_text.rows:
        lines.append(f"- {row.sentence}")
        lines += [f"  - {note}" for note in row.notes]
    return "\n".join([*lines, *(f"- {line}" for line in (rule_text.needs, rule_text.off) if line)])


def _rule_text(book: _Book, rule_id: str, rows: list[Row]) -> RuleText:
    texts = []
    for row in rows:
        when = " and ".join(_condition(book, condition) for condition in book.conditions(row))
        notes = (_weight(book, row), _unknown(book, row), _ledger(book, row))
        texts.append(
            RowText(
                segment=row["segment"],
                sentence=f"{_where(row, rows)}when {when}, then {_effect(book, row)}.",
                notes=tuple(note for note in notes if note),
            )
        )
    feeds = book.feeds(condition["signal"] for row in rows for condition in book.conditions(row))
    weighs = any(row["renewal_factor"] for row in rows)
    off = [feed for feed in feeds if feed in book.unused]
    return RuleText(
        rule_set=rows[0]["rule_set"],
        rule_id=rule_id,
        title=_plain(rows[0]["title"] or rule_id),
        rows=tuple(texts),
        needs=f"Needs {_listed(feeds)}{f'; its weight {_listed(book.feeds([RENEWAL]))}' if weighs else ''}.",
        off=f"**Off**: {_listed(off)} {'is' if len(off) == 1 else 'are'} not used." if off else "",
    )


def _where(row: Row, rows: list[Row]) -> str:
    """For whom a row of the rule speaks, where not for all."""
    if len(rows) == 1 and not row["segment"]:
        return ""
    sentence = f"Segment {_plain(row['segment'])}" if row["segment"] else "Segments that are not named here"
    if len(rows) == 1:
        sentence += " alone"
    title = f" ({_plain(row['title'])})" if row["title"] != rows[0]["title"] else ""
    return f"**{sentence}**{title}: "


def _condition(book: _Book, condition: Row) -> str:
    signal = book.signals[condition["signal"]]
    name, threshold = book.signal(condition["signal"]), _number(condition["threshold"])
    if signal["unit"] == "0 or 1" and condition["operator"] == "=" and threshold in ("0", "1"):
        return f"{name} is {'true' if threshold == '1' else 'false'}"
    if condition["operator"] in RANKS:
        return f"{name} is among the {condition['operator']} {threshold} % of that day's customers"
    percent = " %" if signal["unit"] == "percent" else ""
    return f"{name} is {OPERATORS[condition['operator']]} {threshold}{percent}"


def _effect(book: _Book, rule: Row) -> str:
    no_better = f"the bucket is no better than `{rule['bucket']}`"
    if rule["effect"] == "points":
        sentence = _points(book, rule)
    elif rule["effect"] == "cap":
        sentence = no_better
    elif rule["effect"] == "flag":
        sentence = f"the flag `{rule['flag']}` is raised{f' and {no_better}' if rule['bucket'] else ''}"
    else:
        return "a person looks at the account"
    return sentence + (
        ", and a person looks at the account" if rule["needs_review"].lower() == "true" else ""
    )


def _points(book: _Book, rule: Row) -> str:
    points = Decimal(rule["points"])
    verb = "loses" if points < 0 else "gains"
    sentence = f"the score {verb} {_number(abs(points))} points"
    if rule["per_unit"].lower() != "true":
        return sentence
    limit = f"{_number(rule['max_points'])} points at most" if rule["max_points"] else "without a limit"
    return f"{sentence} times {book.signal(book.conditions(rule)[0]['signal'])}, {limit}"


def _weight(book: _Book, rule: Row) -> str:
    if not rule["renewal_factor"]:
        return ""
    sentence = (
        f"This counts {_number(rule['renewal_factor'])} times where {book.signal(RENEWAL)} is at most "
        f"{rule['renewal_within_days']}."
    )
    off = [feed for feed in book.feeds([RENEWAL]) if feed in book.unused]
    return sentence + (f" It counts once here, because {_listed(off)} is not used." if off else "")


def _unknown(book: _Book, rule: Row) -> str:
    conditions = book.conditions(rule)
    never = [book.signal(c["signal"]) for c in conditions if c["when_null"].lower() == "false"]
    sentence = [f"Without a value for {_listed(never)} the rule does not fire."] if never else []
    if len(never) < len(conditions):
        unknown = "If the rest is not known" if never else "If that is not known"
        sentence.append(f"{unknown}, {_could_still(book, rule)}.")
    return " ".join(sentence)


def _could_still(book: _Book, rule: Row) -> str:
    """What a rule that is neither true nor false may yet turn out to do."""
    if rule["effect"] == "review":
        return "nobody is asked"
    if rule["effect"] != "points":
        flag = "the flag is not raised" if rule["flag"] else ""
        cap = f"the bucket could still be no better than `{rule['bucket']}`" if rule["bucket"] else ""
        return ", but ".join(part for part in (flag, cap) if part)
    points, factor = Decimal(rule["points"]), Decimal(rule["renewal_factor"] or 1)
    is_per_unit = rule["per_unit"].lower() == "true"
    goes_both_ways = is_per_unit and book.can_be_negative(book.conditions(rule)[0]["signal"])
    if is_per_unit and not rule["max_points"]:
        end = "anything from 0 to 100" if goes_both_ways else "0" if points < 0 else "100"
        return f"the score could still come to {end}"
    size = abs(Decimal(rule["max_points"]) if is_per_unit else points)
    direction = "lower or higher" if goes_both_ways else "lower" if points < 0 else "higher"
    near = f" ({_number(size * factor)} if the renewal is near)" if factor != 1 else ""
    return f"the score could still be up to {_number(size)} points {direction}{near}"


def _ledger(book: _Book, rule: Row) -> str:
    if not rule["evidence"]:
        return ""
    thresholds = {
        f"threshold_{c['position']}": _number(c["threshold"])
        for c in book.conditions(rule)
        if c["operator"] not in RANKS
    }
    line = re.sub(r"[{](\w+)[}]", lambda blank: thresholds.get(blank[1], "…"), rule["evidence"])
    return f"Evidence: “{_plain(re.sub(r'[(]s(_[0-9]+)?[)]', 's', line))}”"


def _number(value: str | Decimal) -> str:
    """Without trailing zeros or an exponent."""
    text = f"{Decimal(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _plain(text: str) -> str:
    """Text of a person's that Markdown leaves as it is."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
