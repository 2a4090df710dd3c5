"""The page Portfolio: the accounts by bucket, how they move, and what those at risk have in common.

Filters, order and page are in the address, so that a view can be sent to somebody; each part can be had
as a file too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from radar.core.dates import day
from radar.core.runs import utc_now
from radar.panel import charts, decisions, queries, saved_views, users
from radar.panel.charts import Move, StackDay
from radar.panel.decisions import OvertakenError, UnfitError, Wanted
from radar.panel.labels import Labels
from radar.panel.page_cache import PageCache, cached_part
from radar.panel.pages.account import cover_owners, owner_options
from radar.panel.pages.my_day import form_dates, is_there, read_model_of
from radar.panel.people import Person
from radar.panel.published_db import About, EarlierCopyError, NoDataError, PublishedDatabase, Row
from radar.panel.read_model import ReadModel
from radar.panel.web import csv_answer, labels_of, number, own_path, page, person_of, published_db_of

PATH = "/portfolio"
PAGE_ROWS = 50
MANY = ("sign_off", "snooze", "cover")
"""What is decided on many accounts at once."""
MOST_PARTS = 30
MOST_FACTORS = 12
DAYS_SHOWN = 366
BUCKETS = ("healthy", "watch", "at_risk")

GROUPS = {name: f"{name}_group" for name in ("segment", "owner", "plan", "renewal")}
"""What the table of parts can be split by: the filter's name and the column."""

ORDERS = {
    "score": "score",
    "arr": "arr_usd",
    "name": "name_order",
    "owner": "owner_order",
    "change": "delta_7d",
    "renewal": "days_to_renewal",
}
_DEFAULT_ORDER = "score"
_CSV = {
    "accounts": (
        "account_id", "account_name", "owner_name", "segment", "plan_id", "arr_usd", "score", "score_low",
        "score_high", "bucket", "decision", "is_overridden", "delta_7d", "days_to_renewal", "reason_1",
        "flags",
    ),
    "buckets": ("as_of_date", "bucket", "accounts", "arr_usd"),
    "moves": ("compared_with", "bucket_before", "bucket", "accounts", "arr_usd"),
    "factors": (
        "kind", "factor", "label", "bound", "lift", "with_factor", "at_risk_with_factor", "accounts",
        "at_risk", "is_scored",
    ),
    "parts": (
        "value", "accounts", "healthy", "watch", "at_risk", "arr_usd", "at_risk_arr_usd", "mean_score",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """All of the address that the page depends on; None is no filter."""

    segment: str | None = None
    owner: str | None = None
    plan: str | None = None
    renewal: str | None = None
    bucket: str | None = None
    decision: str | None = None
    rule: str | None = None
    flag: str | None = None
    within: str | None = None
    team: str | None = None
    parent: str | None = None
    unit: str = "accounts"
    by: str = "segment"
    sort: str = _DEFAULT_ORDER
    desc: bool = False
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> View:
        """What an address asks for; what is not valid counts as not given."""
        filters = {name: asked[name][:100] for name in FILTERS if asked.get(name)}
        bucket, decision = filters.get("bucket"), filters.get("decision")
        number = asked.get("page", "1")
        return cls(
            **filters
            | {
                "bucket": bucket if bucket in BUCKETS else None,
                "decision": decision if decision in ("decided", "undecided", "conflict") else None,
                "within": filters["within"] if filters.get("within") in WITHIN else None,
            },
            unit="arr" if asked.get("unit") == "arr" else "accounts",
            by=asked["by"] if asked.get("by") in GROUPS else "segment",
            sort=asked["sort"] if asked.get("sort") in ORDERS else _DEFAULT_ORDER,
            desc=asked.get("desc") == "1",
            page=int(number) if re.fullmatch(r"[1-9][0-9]{0,5}", number) else 1,
        )

    def link(self, anchor: str = "", **changes: Any) -> str:
        """The address of this view with some of it changed; any change goes back to the first page."""
        changed = replace(self, **{"page": 1, **changes})
        default = View()
        asked = {
            name: "1" if value is True else str(value)
            for name, value in asdict(changed).items()
            if value != getattr(default, name)
        }
        return PATH + (f"?{urlencode(asked)}" if asked else "") + (f"#{anchor}" if anchor else "")

    def without(self, name: str) -> str:
        """The address without one of the filters."""
        left: dict[str, Any] = {name: None}
        return self.link(**left)

    def csv(self, part: str) -> str:
        """The address of a part of this view as a file."""
        address = self.link()
        return f"{address}{'&' if '?' in address else '?'}format=csv&part={part}"

    @property
    def filters(self) -> dict[str, str | None]:
        """The filters by name."""
        return {name: getattr(self, name) for name in FILTERS}


FILTERS = (
    "segment",
    "owner",
    "plan",
    "renewal",
    "bucket",
    "decision",
    "rule",
    "flag",
    "within",
    "team",
    "parent",
)
WITHIN = {"30": "30 days", "60": "60 days", "90": "90 days"}
"""How soon an account renews."""


@dataclass(frozen=True)
class _Data:
    """The answers of the copy, and of what is drawn from it, for one view and person."""

    published_db: PublishedDatabase
    read_model: ReadModel
    drawn: str
    """The version that the read model was drawn from: while a newer copy is drawn, the one before."""
    person: Person
    about: About
    view: View
    page_cache: PageCache
    labels: Labels
    teams: Mapping[str, tuple[str, ...]]
    """The owners of each lead's team, by the lead's name, for who sees several teams."""

    def _ask(self, name: str, **parameters: Any) -> list[Row]:
        """A query that depends on little of the view, so that its answer is kept for other views too."""
        query = queries.load("portfolio")[name]
        key = (query, self.person.scope, tuple(sorted(parameters.items())))
        return self.page_cache.get(
            self.about.version, key, lambda: self.published_db.rows(self.person, query, **parameters)
        )

    def _of_accounts(self, name: str, **marks: str) -> list[Row]:
        """A query of the newest day's accounts with all filters, kept for every order and page of them."""
        key = (name, *marks.values(), self.person.scope, tuple(self._filters.items()))
        return self.page_cache.get(
            self.drawn, key, lambda: listed(self.read_model, self.person, self._filters, name, marks)
        )

    @property
    def _filters(self) -> dict[str, str]:
        """The filters that are set, as queries take them."""
        filters = {name: value for name, value in self.view.filters.items() if value is not None}
        if "team" in filters:
            filters["team"] = json.dumps(sorted(self.teams.get(filters["team"], ())))
        if "parent" in filters and filters["parent"] not in dict(self.options()["parent"]):
            filters["parent"] = ""  # one that the person does not see has no group for them
        return filters

    def options(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {name: [] for name in FILTERS}
        for row in self._ask("options"):
            of = row["filter"]
            is_id = of in ("segment", "plan") and row["value"] != "none"
            found[of].append((row["value"], self.labels(of, row["value"]) if is_id else row["label"]))
        found["rule"], found["flag"] = self.labels.of_kind("rule"), self.labels.of_kind("flag")
        found["within"] = list(WITHIN.items())
        found["team"] = [(name, name) for name in self.teams]
        return found

    def days(self) -> list[Row]:
        """Of one plan or one renewal quarter, else of a segment; see `left_out`."""
        split = next(((name, value) for name, value in self._splits() if value), None)
        since = self.about.as_of - timedelta(days=DAYS_SHOWN)
        if split is None:
            return self._ask("days", since=since, segment=self.view.segment, owner=self.view.owner)
        return self._ask(
            "days_of_split",
            since=since, split=split[0], value=split[1], owner=self.view.owner,
        )  # fmt: skip

    def _splits(self) -> Iterable[tuple[str, str | None]]:
        return (("plan", self.view.plan), ("renewal_quarter", self.view.renewal))

    def left_out(self) -> list[str]:
        """Filters that history is not kept for: the chart leaves them out, with a note."""
        names = [
            name
            for name in ("bucket", "decision", "rule", "flag", "team", "parent")
            if getattr(self.view, name)
        ]
        if self.view.within:
            names.append("days to renewal")
        if self.view.plan and self.view.renewal:
            names.append("renewal")
        if self.view.segment and (self.view.plan or self.view.renewal):
            names.append("segment")
        return names

    def moves(self) -> list[Row]:
        return self._ask("moves", segment=self.view.segment, owner=self.view.owner)

    def factors(self) -> list[Row]:
        return self._ask("factors", segment=self.view.segment, owner=self.view.owner)

    def parts(self) -> list[Row]:
        order = "value" if self.view.by == "renewal" else "at_risk_arr_usd desc, accounts desc, value"
        return self._of_accounts("groups", group=GROUPS[self.view.by], order=order)

    def totals(self) -> Row:
        return self._of_accounts("totals")[0]

    def accounts(self, rows: int, from_row: int) -> list[Row]:
        order = f"{ORDERS[self.view.sort]} {'desc' if self.view.desc else 'asc'} nulls last"
        return listed_accounts(
            self.read_model, self.person, self._filters, order, rows=rows, from_row=from_row
        )


def listed(
    read_model: ReadModel,
    person: Person,
    filters: Mapping[str, str],
    name: str,
    marks: Mapping[str, str],
    **limits: int,
) -> list[Row]:
    """A query of the accounts that the filters which are set let through. Raises EarlierCopyError."""
    lacks = read_model.about().without_portfolio
    if lacks:
        raise EarlierCopyError(lacks)
    texts = queries.load("portfolio")
    where = "\nand ".join([texts["mine"], *(texts[f"filter_{of}"] for of in filters)])
    found = read_model.rows(person, texts[name].format(where=where, **marks), **filters, **limits)
    return [dict(row) for row in found]


def listed_accounts(
    read_model: ReadModel, person: Person, filters: Mapping[str, str], order: str, **limits: int
) -> list[Row]:
    """Of these accounts, in this order, so many `rows`, the first being number `from_row`, from 0."""
    found = listed(read_model, person, filters, "accounts", {"order": order}, **limits)
    return [row | {"is_overridden": bool(row["is_overridden"])} for row in found]


def show(request: Request) -> Response:
    """The page, or one part of it as a file."""
    about = request.state.about
    if about is None:
        raise NoDataError
    view = View.of(request.query_params)
    page_cache, labels = request.app.state.page_cache, labels_of(request)
    person = person_of(request)
    teams = users.teams(request.app.state.store) if person.role == "admin" else {}
    read_model = read_model_of(request)
    drawn = read_model.about().version
    data = _Data(published_db_of(request), read_model, drawn, person, about, view, page_cache, labels, teams)
    if request.query_params.get("format") == "csv":
        return _file(data, request.query_params.get("part", "accounts"))
    done = re.fullmatch(r"(\d{1,2})-(\d{1,2})", request.query_params.get("kept", ""))
    if done:
        left = f"; {done[2]} left alone, because somebody has decided meanwhile" if done[2] != "0" else ""
        request.state.notice = f"{done[1]} decided{left}. It counts from the next run on."
    many = {
        "token": decisions.new_token(),
        "seen": decisions.newest(request.app.state.store),
        "as_of_date": about.as_of.isoformat(),
        "back": view.link(page=view.page),
        "days": form_dates(),
        "owners": owner_options(request),
    }
    views = saved_views.of_person(request.app.state.store, person_of(request))
    body = Markup().join(_parts(request, data))
    return page(request, "cached.html", title="Portfolio", body=body, many=many, views=views)


def decide(request: Request) -> Response:
    """Sign off, snooze or assign what was selected, each on its own; what others decided meanwhile is left.

    To assign is to ask somebody for cover: the owner of an account stays that of the CRM.
    """
    form, today = request.state.form, utc_now().date()
    if form.get("kind") in ("save_view", "remove_view"):
        return _change_views(request)
    if form.get("kind") not in MANY:
        return _not_kept(request, "Choose what to decide.")
    kept = left = 0
    for index in range(PAGE_ROWS):
        account_id = form.get(f"chosen-{index}")
        if account_id is None:
            continue
        if form["kind"] == "cover":
            form = {**form, "until_date": form.get("cover_until", "")}
        given = {**form, "verdict": "agree", "form_token": f"{form.get('form_token', '')[:60]}-{index}"}
        try:
            wanted = decisions.read_form(given, account_id, today)
            if wanted.kind == "cover":
                wanted = replace(wanted, owner_name=_colleague(request, wanted.owner_id))
        except UnfitError as error:
            return _not_kept(request, str(error))
        is_kept = is_there(request, account_id) and _keep(request, wanted)
        kept, left = kept + is_kept, left + (not is_kept)
    path, _, query = own_path(form.get("back", PATH)).partition("?")
    view = [(name, value) for name, value in parse_qsl(query) if name != "kept"]
    return RedirectResponse(f"{path}?{urlencode([*view, ('kept', f'{kept}-{left}')])}", status_code=303)


def _change_views(request: Request) -> Response:
    """Keep the view of the page, or remove one."""
    store, person, form = request.app.state.store, person_of(request), request.state.form
    asked = dict(parse_qsl(own_path(form.get("back", "")).partition("?")[2]))
    address = View.of(asked).link()
    if form["kind"] == "remove_view":
        saved_views.remove(store, person, form.get("name", ""))
        return RedirectResponse(address, status_code=303)
    try:
        saved_views.save(store, person, form.get("name", ""), address)
    except UnfitError as error:
        return _not_kept(request, str(error))
    return RedirectResponse(address, status_code=303)


def _keep(request: Request, wanted: Wanted) -> bool:
    try:
        return decisions.decide(request.app.state.store, person_of(request), wanted)
    except OvertakenError:
        return False


def _colleague(request: Request, owner_id: str | None) -> str:
    """Who is asked for cover, by name. Raises UnfitError."""
    found = cover_owners(request, None).get(owner_id or "")
    if found is None:
        raise UnfitError("Choose who is to cover.")
    return found


def _not_kept(request: Request, advice: str) -> Response:
    return page(request, "problem.html", status=422, title="Not kept", advice=advice, error_id=None)


def _file(data: _Data, part: str) -> Response:
    part = part if part in _CSV else "accounts"
    made = {
        "accounts": lambda: data.accounts(1_000_000, 0),
        "buckets": data.days,
        "moves": data.moves,
        "factors": data.factors,
        "parts": data.parts,
    }[part]
    return csv_answer(f"radar_{part}_{data.about.as_of}.csv", _CSV[part], made())


def _parts(request: Request, data: _Data) -> Iterator[Markup]:
    """The page from top to bottom. Only the list depends on the page of it that is asked for."""
    totals = data.totals()
    pages = max(-(-int(totals["accounts"]) // PAGE_ROWS), 1)
    around, listed = replace(data.view, page=1), replace(data.view, page=min(data.view.page, pages))

    def part(template: str, view: View, make: Callable[[], Mapping[str, Any]]) -> Markup:
        return cached_part(request, "Portfolio", template, (view, data.drawn), make)

    def head() -> dict[str, Any]:
        options = data.options()
        chosen = _chosen_filters(around, options)
        return {"view": around, "totals": totals, "options": options, "chosen_filters": chosen}

    def accounts() -> dict[str, Any]:
        rows = data.accounts(PAGE_ROWS, (listed.page - 1) * PAGE_ROWS)
        return {"view": listed, "totals": totals, "accounts": rows, "at": listed.page, "pages": pages}

    yield part("portfolio.html", around, head)
    if not totals["accounts"] and not any(data.view.filters.values()):
        return  # the head says what to do
    yield part("portfolio_list.html", listed, accounts)
    yield part("portfolio_summaries.html", around, lambda: _summaries(data, around))


def _summaries(data: _Data, view: View) -> dict[str, Any]:
    """How the accounts move, where they are, and what those at risk have in common."""
    moves, parts = data.moves(), data.parts()
    is_money = view.unit == "arr"
    unit, column = ("$", "arr_usd") if is_money else ("", "accounts")
    days = _by_day(data.days(), column)
    moved = [row for row in moves if row["bucket_before"] != row["bucket"]]
    return {
        "view": view,
        "chart": charts.stacked(days, _chart_label(days, is_money), unit=unit),
        "weeks": _weeks(days),
        "left_out": data.left_out(),
        "flow": charts.flow(
            [Move(row["bucket_before"], row["bucket"], int(row["accounts"])) for row in moved],
            f"Moves between buckets: {_moves_text(moved)}",
        ),
        "moved": moved,
        "stayed": sum(int(row["accounts"]) for row in moves if row["bucket_before"] == row["bucket"]),
        "compared_with": next((row["compared_with"] for row in moves), None),
        "factors": [_factor(row) for row in data.factors()[:MOST_FACTORS]],
        "parts": parts[:MOST_PARTS],
        "all_parts": len(parts),
        "part_labels": dict(data.options()[view.by]),
        "bar": charts.bar,
        "bucket_labels": charts.LABELS,
    }


def _by_day(rows: Iterable[Row], column: str) -> list[StackDay]:
    found: dict[Any, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["as_of_date"], {})[row["bucket"]] = float(row[column] or 0)
    return [StackDay(day, values) for day, values in sorted(found.items())]


def _weeks(days: list[StackDay]) -> list[StackDay]:
    """The last scored date of each of the newest twelve weeks, the newest first."""
    last = {stacked.day.isocalendar()[:2]: stacked for stacked in days}
    return sorted(last.values(), key=lambda stacked: stacked.day, reverse=True)[:12]


def _chart_label(days: list[StackDay], is_money: bool) -> str:
    what = "Revenue a year per bucket" if is_money else "Accounts per bucket"
    if not days:
        return what
    last = ", ".join(
        f"{charts.LABELS[bucket]} {charts.short(days[-1].values.get(bucket, 0), '$' if is_money else '')}"
        for bucket in BUCKETS
    )
    return f"{what} from {day(days[0].day)} to {day(days[-1].day)}; on the last day {last}"


def _moves_text(moved: list[Row]) -> str:
    return "; ".join(
        f"{charts.LABELS[row['bucket_before']]} to {charts.LABELS[row['bucket']]} {int(row['accounts']):,}"
        for row in moved
    )


def _factor(row: Row) -> Row:
    """A factor with its sentence: what it is, and in how many accounts it is met."""
    bound = {"signal_low": "at most", "signal_high": "at least"}.get(row["kind"])
    is_yes_or_no = row["unit"] == "0 or 1"
    if bound is None:
        text = row["label"]
    elif is_yes_or_no:
        text = f"{row['label']}: {'yes' if row['bound'] else 'no'}"
    else:
        text = f"{row['label']} {bound} {number(row['bound'])}{' %' if row['unit'] == 'percent' else ''}"
    return row | {"label": text, "share": row["at_risk_with_factor"] / row["with_factor"]}


def _chosen_filters(view: View, options: Mapping[str, list[tuple[str, str]]]) -> list[tuple[str, str, str]]:
    """The filters in use: name, what people read, and the address without it."""
    labels = {"bucket": charts.LABELS} | {name: dict(values) for name, values in options.items() if values}
    return [
        (name, labels.get(name, {}).get(value, value), view.without(name))
        for name, value in view.filters.items()
        if value
    ]


routes = [Route(PATH, show), Route(PATH, decide, methods=["POST"])]
