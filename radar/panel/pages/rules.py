"""The page Rules: every rule as text, how often it fires and what it costs, and how a shadow differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.core.errors import UsageError
from radar.panel import charts, queries, rule_sets
from radar.panel.page_cache import cached_page
from radar.panel.people import Person
from radar.panel.published_db import About, NoDataError, PublishedDatabase, Row
from radar.panel.web import csv_answer, person_of, published_db_of
from radar.rules import promotions
from radar.rules.page import STATUSES, RuleText, rule_texts

PATH = "/rules"
PAGE_ROWS = 25
BUCKETS = ("healthy", "watch", "at_risk")
SEEDS = ("rule_sets", "rules", "rule_conditions", "signals", "feeds")

DIFFER = {
    "differs": "is_different",
    "worse": "is_worse",
    "better": "is_better",
    "decision": "is_other_decision",
}
"""Which accounts of a comparison are listed, and the column that says so."""

_CSV = {
    "rules": (
        "rule_set", "rule_id", "segment", "accounts", "held", "unknown", "switched_off", "points",
        "held_arr_usd",
    ),
    "differences": (
        "account_id", "account_name", "owner_name", "segment", "arr_usd", "champion_score",
        "champion_bucket", "champion_decision", "shadow_score", "shadow_bucket", "shadow_decision",
        "score_difference", "champion_reasons", "shadow_reasons",
    ),
}  # fmt: skip
_DECISIONS = {"promote": rule_sets.promote, "retire": rule_sets.retire, "shadow": rule_sets.shadow}
"""What a form may decide, next to taking a promotion back."""
REASON_LIMIT = 2_000
_INLINE = re.compile(r"\\(.)|`([^`]*)`|\*\*(.+?)\*\*")


@dataclass(frozen=True)
class View:
    """All of the address that the page depends on; `set` empty is the champion rule set."""

    set: str = ""
    differ: str = "differs"
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> View:
        """What an address asks for; what is not valid counts as not given."""
        number = asked.get("page", "1")
        return cls(
            set=asked.get("set", "")[:100],
            differ=asked["differ"] if asked.get("differ") in DIFFER else "differs",
            page=int(number) if re.fullmatch(r"[1-9][0-9]{0,5}", number) else 1,
        )

    def link(self, anchor: str = "", **changes: Any) -> str:
        """The address of this view with some of it changed; any change goes back to the first page."""
        changed = replace(self, **{"page": 1, **changes})
        default = View()
        asked = {
            name: str(value) for name, value in asdict(changed).items() if value != getattr(default, name)
        }
        return PATH + (f"?{urlencode(asked)}" if asked else "") + (f"#{anchor}" if anchor else "")

    def csv(self, part: str) -> str:
        """The address of a part of this view as a file."""
        address = self.link()
        return f"{address}{'&' if '?' in address else '?'}format=csv&part={part}"


@dataclass(frozen=True)
class Fired:
    """How often a rule fires: of how many accounts, unknown for how many, and the points in all."""

    accounts: int
    fired: int
    unknown: int
    switched_off: int
    points: float
    held_arr_usd: float

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Fired:
        """The sum of these rows of the mart."""
        firings = list(rows)
        accounts, fired, unknown, switched_off = (
            int(sum(row[name] for row in firings)) for name in ("accounts", "held", "unknown", "switched_off")
        )
        return cls(
            accounts,
            fired,
            unknown,
            switched_off,
            points=float(sum(row["points"] for row in firings)),
            held_arr_usd=float(sum(row["held_arr_usd"] or 0 for row in firings)),
        )


@dataclass(frozen=True)
class _Data:
    published_db: PublishedDatabase
    person: Person
    about: About
    view: View

    def ask(self, name: str, **parameters: Any) -> list[Row]:
        return self.published_db.rows(self.person, queries.load("rules")[name], **parameters)

    def differences(self, rows: int, from_row: int) -> list[Row]:
        query = queries.load("rules")["differences"].format(differ=DIFFER[self.view.differ])
        return self.published_db.rows(
            self.person, query, rule_set=self.view.set, rows=rows, from_row=from_row
        )

    def rule_texts(self) -> list[RuleText]:
        """The rules as on the page in the documentation, from the seeds of this copy."""
        return rule_texts({seed: [seed_row(row) for row in self.ask(seed)] for seed in SEEDS})


def show(request: Request) -> Response:
    """The page, or one part of it as a file."""
    about = request.state.about
    if about is None:
        raise NoDataError
    data = _Data(published_db_of(request), person_of(request), about, View.of(request.query_params))
    if request.query_params.get("format") == "csv":
        part = "differences" if request.query_params.get("part") == "differences" else "rules"
        rows = data.differences(1_000_000, 0) if part == "differences" else data.ask("firings")
        return csv_answer(f"radar_{part}_{about.as_of}.csv", _CSV[part], rows)
    return _page(request, data, None)


def decide(request: Request) -> Response:
    """Keep what a lead or admin decided about a rule set; the page names what cannot be decided."""
    if request.state.about is None:
        raise NoDataError
    form, person = request.state.form, person_of(request)
    data = _Data(published_db_of(request), person, request.state.about, View())
    name, reason = form.get("rule_set", ""), " ".join(form.get("reason", "").split())[:REASON_LIMIT] or None
    store, states, kind = request.app.state.store, data.ask("states"), form.get("kind")
    try:
        if person.role == "rep":
            raise UsageError("a lead or an admin decides about rule sets", "ask one of them")
        if kind == "roll_back":
            rule_sets.roll_back(store, states, person.name, reason)
        elif kind in _DECISIONS:
            _DECISIONS[kind](store, states, name, person.name, reason)
        else:
            raise UsageError("this form is not complete", "load the page again")
    except UsageError as error:
        return _page(request, data, error.problem[0].upper() + error.problem[1:] + ".", status=422)
    return RedirectResponse(f"{PATH}#states", status_code=303)


def _page(request: Request, data: _Data, mistake: str | None, status: int = 200) -> Response:
    """The part that everybody shares, and what whoever looks may decide about rule sets."""
    person = data.person
    states = data.ask("states")
    standing = rule_sets.Standing.of(states, promotions.read(request.app.state.store.con))
    promotion = {
        "mistake": mistake,
        "may_decide": person.role != "rep",
        "sets": [
            {
                "row": row,
                "state": rule_sets.state_text(row),
                "report": rule_sets.report(row),
                "kinds": rule_sets.choices(row, standing, person.name),
                "decided": rule_sets.decided_text(row["rule_set"], standing),
            }
            for row in states
        ],
    }
    answer = cached_page(
        request, "Rules", "rules.html", data.view, lambda: _context(data), promotion=promotion
    )
    answer.status_code = status
    return answer


def _context(data: _Data) -> dict[str, Any]:
    order = list(STATUSES)
    versions = {row["rule_set"]: row["rule_version"] for row in data.ask("versions")}
    sets = sorted(data.ask("rule_sets"), key=lambda row: (order.index(row["status"]), row["rule_set"]))
    named = next((row for row in sets if row["rule_set"] == data.view.set), sets[0])
    chosen = named["rule_set"]
    view = replace(data.view, set="" if named["status"] == "champion" else chosen)
    firings = [row for row in data.ask("firings") if row["rule_set"] == chosen]
    context = {
        "view": view,
        "sets": sets,
        "chosen": named,
        "version": versions.get(chosen),
        "status": STATUSES[named["status"]],
        "rules": [
            (text, *_fired(text.rule_id, firings)) for text in data.rule_texts() if text.rule_set == chosen
        ],
        "inline": inline,
        "bar": charts.bar,
        "shadow": named["status"] == "shadow",
        "champion_rule_set": sets[0]["rule_set"],
    }
    return context | (_comparison(replace(data, view=view)) if named["status"] == "shadow" else {})


def _fired(rule_id: str, firings: list[Row]) -> tuple[Fired, list[tuple[str, Fired]]]:
    """Of all accounts, and segment by segment."""
    rows = [row for row in firings if row["rule_id"] == rule_id]
    return Fired.of(rows), [(row["segment"], Fired.of([row])) for row in rows]


def _comparison(data: _Data) -> dict[str, Any]:
    counts = data.ask("how_many_differ", rule_set=data.view.set)[0]
    listed = int(counts[data.view.differ])
    pages = max(-(-listed // PAGE_ROWS), 1)
    at = min(data.view.page, pages)
    crossed = {
        (row["champion_bucket"], row["shadow_bucket"]): row
        for row in data.ask("crossed", rule_set=data.view.set)
    }
    return {
        "counts": counts,
        "crossed": crossed,
        "differences": data.differences(PAGE_ROWS, (at - 1) * PAGE_ROWS),
        "pages": pages,
        "at": at,
        "buckets": BUCKETS,
    }


def seed_row(row: Row) -> dict[str, str]:
    """A row of a seed as the file has it: all text, nothing for null."""
    return {name: _cell(value) for name, value in row.items()}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def inline(text: str) -> Markup:
    """One line of the Markdown of the rules: `code`, **strong**, a backslash before a character."""
    parts: list[str] = []
    at = 0
    for found in _INLINE.finditer(text):
        parts.append(escape(text[at : found.start()]))
        plain, code, strong = found.groups()
        if plain is not None:
            parts.append(escape(plain))
        elif code is not None:
            parts.append(Markup("<code>{}</code>").format(code))
        else:
            parts.append(Markup("<strong>{}</strong>").format(inline(strong)))
        at = found.end()
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


routes = [Route(PATH, show), Route(PATH, decide, methods=["POST"])]
