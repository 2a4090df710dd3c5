"""The definitions of the backtest in plain Python, day by day and pair by pair.

What belongs here: what the definitions say, read from their text and not from the SQL. What does not: speed.
One day of one account is looked at as often as a definition asks for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from math import exp, log, sqrt
from statistics import median
from typing import Any

Z = 1.959963984540054
GRACE = 14
FEW = 20
LIVE = ("trialing", "active", "past_due")
BUCKETS = ("healthy", "watch", "at_risk")
FLAGGED: Mapping[str, Callable[[str], bool]] = {
    "at_risk": lambda bucket: bucket == "at_risk",
    "not_healthy": lambda bucket: bucket in ("watch", "at_risk"),
}


def days(count: int) -> timedelta:
    return timedelta(days=count)


@dataclass(frozen=True)
class Version:
    """A row of billing/subscriptions; `landed` orders rows of the same time."""

    subscription_id: str
    account_id: str
    plan_id: str
    status: str
    mrr_usd: Decimal | None
    started_at: datetime
    current_period_end: datetime | None
    cancel_at_period_end: bool
    canceled_at: datetime | None
    updated_at: datetime
    landed: int = 0


@dataclass(frozen=True)
class Score:
    """What was recorded of an account on a day; the bucket is that of the rules."""

    account_id: str
    day: date
    score: float
    bucket: str
    decision: str = "decided"
    rule_set: str = "playbook_v1"


@dataclass(frozen=True)
class Account:
    """What is true of an account on a day."""

    churned: bool = False
    paying: bool = False
    noticed: bool = False
    mrr: Decimal | None = Decimal(0)


@dataclass
class Company:
    """Everything that the definitions read."""

    versions: Sequence[Version]
    plans: Mapping[str, bool]
    scores: Sequence[Score]
    deleted_from: Mapping[str, Sequence[date]] = field(default_factory=dict)
    """Of an account, the days from which the CRM had it as deleted."""
    outreach: Mapping[str, Sequence[date]] = field(default_factory=dict)
    """Of an account, the days of personal outbound contacts and meetings."""
    verdicts: Mapping[str, Sequence[tuple[date, bool]]] = field(default_factory=dict)
    """Of an account, days that a person judged, and whether action was needed."""

    def __post_init__(self) -> None:
        self._states: dict[tuple[str, date], Account] = {}

    @cached_property
    def subscriptions(self) -> dict[str, list[list[Version]]]:
        """Of an account, the versions of each subscription, oldest first; of equal times the last landed."""
        newest: dict[tuple[str, datetime], Version] = {}
        for version in sorted(self.versions, key=lambda one: one.landed):
            newest[version.subscription_id, version.updated_at] = version
        by_subscription: dict[str, list[Version]] = defaultdict(list)
        for version in sorted(newest.values(), key=lambda one: one.updated_at):
            by_subscription[version.subscription_id].append(version)
        found: dict[str, list[list[Version]]] = defaultdict(list)
        for versions in by_subscription.values():
            found[versions[0].account_id].append(versions)
        return found

    def on(self, account_id: str, day: date) -> Account:
        """The account on a day."""
        key = account_id, day
        if key not in self._states:
            self._states[key] = self._account(account_id, day)
        return self._states[key]

    def in_force(self, account_id: str, day: date) -> list[tuple[Version, str]]:
        """Subscriptions that had started by a day, with their status then."""
        found = []
        for versions in self.subscriptions.get(account_id, ()):
            known = [version for version in versions if version.updated_at.date() <= day]
            version = known[-1] if known else versions[0]
            status = version.status
            if not known and status == "canceled":
                ends = version.canceled_at or version.updated_at
                if (
                    version.cancel_at_period_end
                    and version.current_period_end
                    and version.canceled_at
                    and version.current_period_end > version.canceled_at
                ):
                    ends = version.current_period_end
                status = "active" if day < ends.date() else "canceled"
            if version.started_at.date() <= day:
                found.append((version, status))
        return found

    def _account(self, account_id: str, day: date) -> Account:
        started = self.in_force(account_id, day)
        live = [(version, status) for version, status in started if status in LIVE]
        return Account(
            churned=bool(started) and all(status == "canceled" for _, status in started),
            paying=any(
                status in ("active", "past_due") and self._is_paid(version) for version, status in live
            ),
            noticed=bool(live)
            and all(
                version.cancel_at_period_end
                or (version.canceled_at is not None and version.canceled_at.date() <= day)
                for version, _ in live
            ),
            mrr=None
            if any(version.mrr_usd is None for version, _ in live)
            else sum((version.mrr_usd for version, _ in live if version.mrr_usd is not None), Decimal(0)),
        )

    def _is_paid(self, version: Version) -> bool:
        if version.plan_id in self.plans:
            return self.plans[version.plan_id]
        return version.mrr_usd is not None and version.mrr_usd > 0


@dataclass(frozen=True)
class Churn:
    """A churn that is known, with the day of its notice."""

    account_id: str
    day: date
    notice: date
    was_paying: bool


@dataclass(frozen=True)
class Observation:
    """An account on a day of the grid, with what came within a horizon."""

    account_id: str
    day: date
    score: float
    bucket: str
    y: bool
    contracted: bool
    expanded: bool

    @property
    def bad(self) -> bool:
        return self.y or self.contracted


class Measured:
    """The figures of a company's history, as `radar backtest --json` has them."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.by_account: dict[str, dict[date, Score]] = defaultdict(dict)
        for score in company.scores:
            self.by_account[score.account_id][score.day] = score
        self.dates = sorted({score.day for score in company.scores})
        self.last = self.dates[-1]
        mondays = [day for day in self.dates if day.weekday() == 0]
        self.grid = self.dates if len(mondays) < 8 else mondays
        self.churns: dict[str, list[Churn]] = {}
        self.switches: dict[str, list[date]] = {}
        for account_id in company.subscriptions:
            self.churns[account_id], self.switches[account_id] = self._left(account_id)

    def _left(self, account_id: str) -> tuple[list[Churn], list[date]]:
        churns, switches = [], []
        on = self.company.on
        first = min(
            version.started_at.date()
            for versions in self.company.subscriptions[account_id]
            for version in versions
        )
        day = first
        while day <= self.last:
            if on(account_id, day).churned and not on(account_id, day - days(1)).churned:
                back = next((n for n in range(1, GRACE) if not on(account_id, day + days(n)).churned), None)
                if back is not None:
                    if day + days(back) <= self.last:
                        switches.append(day)
                elif day + days(GRACE - 1) <= self.last:
                    notice = day
                    while on(account_id, notice - days(1)).noticed:
                        notice -= days(1)
                    churns.append(Churn(account_id, day, notice, on(account_id, day - days(1)).paying))
            day += days(1)
        return churns, switches

    def churned_within(self, account_id: str, day: date, horizon: int) -> bool:
        return any(day < churn.day <= day + days(horizon) for churn in self.churns.get(account_id, ()))

    def contracted(self, account_id: str, day: date, horizon: int) -> bool:
        return self._moved(account_id, day, horizon, lambda before, after: after < before * Decimal("0.99"))

    def expanded(self, account_id: str, day: date, horizon: int) -> bool:
        return self._moved(account_id, day, horizon, lambda before, after: after > before * Decimal("1.01"))

    def _moved(
        self, account_id: str, day: date, horizon: int, has: Callable[[Decimal, Decimal], bool]
    ) -> bool:
        before = self.company.on(account_id, day)
        after = self.company.on(account_id, day + days(horizon))
        if after.churned or before.mrr is None or after.mrr is None:
            return False
        return has(before.mrr, after.mrr)

    @cached_property
    def on_grid(self) -> tuple[list[Score], dict[str, int]]:
        """Observations, and how many rows of the grid are none, by reason."""
        grid = set(self.grid)
        kept, left_out = [], defaultdict[str, int](int)
        for score in self.company.scores:
            if score.day not in grid:
                continue
            state = self.company.on(score.account_id, score.day)
            if not state.paying:
                left_out["not_paying"] += 1
            elif state.noticed:
                left_out["noticed"] += 1
            else:
                kept.append(score)
        return kept, dict(left_out)

    def known(self, horizon: int) -> list[Observation]:
        found = []
        for score in self.on_grid[0]:
            account_id, day = score.account_id, score.day
            if day + days(horizon + GRACE) > self.last or self._is_deleted(account_id, day, horizon):
                continue
            found.append(
                Observation(
                    account_id,
                    day,
                    score.score,
                    score.bucket,
                    self.churned_within(account_id, day, horizon),
                    self.contracted(account_id, day, horizon),
                    self.expanded(account_id, day, horizon),
                )
            )
        return found

    def _is_deleted(self, account_id: str, day: date, horizon: int) -> bool:
        later = [since for since in self.company.deleted_from.get(account_id, ()) if since > day]
        if not later or min(later) > day + days(horizon):
            return False
        return not any(day < churn.day < min(later) for churn in self.churns.get(account_id, ()))

    # -- figures

    def figures(self, horizons: Sequence[int] = (30, 60, 90)) -> dict[str, Any]:
        """Everything, rounded."""
        scores, observed = self.company.scores, self.on_grid[0]
        found = {
            "scored_days": len(self.dates),
            "first": self.dates[0].isoformat(),
            "last": self.last.isoformat(),
            "grid_days": len(self.grid),
            "accounts_scored": len(self.by_account),
            "undecided_pct": 100 * share([score.decision == "undecided" for score in scores]),
            "observations": len(observed),
            "left_out": self.on_grid[1],
            "switches": sum(
                1
                for account in self.by_account
                for day in self.switches.get(account, ())
                if day > self.dates[0]
            ),
            "buckets_pct": {
                bucket: times_100(share([score.bucket == bucket for score in observed])) for bucket in BUCKETS
            },
            "horizons": {str(horizon): horizon_figures(self.known(horizon)) for horizon in horizons},
            "lead_time": {level: self._lead_time(level) for level in FLAGGED},
            "episodes": {level: self._episodes(level) for level in FLAGGED},
            "trend": self._trend(),
            "renewals": self._renewals(),
        }
        for horizon in horizons:
            shown = found["horizons"][str(horizon)]
            shown["censored"] = len(observed) - shown["n"]
        judged = [
            found["horizons"][str(h)] for h in sorted(horizons) if found["horizons"][str(h)]["events"] >= FEW
        ]
        found["verdict"] = (
            "too_few"
            if not judged
            else "predicts"
            if judged[-1]["auc_ci"] and judged[-1]["auc_ci"][0] > 0.5
            else "no_evidence"
        )
        return rounded(found)

    def runs(self, account_id: str, level: str) -> list[list[date]]:
        """Maximal runs of flagged scored dates."""
        found: list[list[date]] = []
        was = False
        for day in sorted(self.by_account[account_id]):
            flagged = FLAGGED[level](self.by_account[account_id][day].bucket)
            if flagged and was:
                found[-1].append(day)
            elif flagged:
                found.append([day])
            was = flagged
        return found

    def _lead_time(self, level: str) -> dict[str, Any]:
        leads = []
        for account_id, scored in self.by_account.items():
            for churn in self.churns.get(account_id, ()):
                before = [day for day in scored if churn.notice - days(30) <= day < churn.notice]
                if not churn.was_paying or not before:
                    continue
                run = next((run for run in self.runs(account_id, level) if max(before) in run), None)
                leads.append((churn.notice - run[0]).days if run else 0)
        warned = [lead for lead in leads if lead > 0]
        lengths = [
            (run[-1] - run[0]).days + 1
            for account_id in self.by_account
            for run in self.runs(account_id, level)
        ]
        return {
            "events": len(leads),
            "warned": len(warned),
            "warned_share": share([lead > 0 for lead in leads]),
            "warned_30d_share": share([lead >= 30 for lead in leads]),
            "median": quantile(warned, 0.5),
            "p10": quantile(warned, 0.1),
            "typical_run": median(lengths) if lengths else None,
        }

    def _episodes(self, level: str) -> dict[str, Any]:
        on = self.company.on
        churned, verdicts, treated, untreated = [], [], [], []
        for account_id, scored in self.by_account.items():
            for run in self.runs(account_id, level):
                start = run[0]
                state = on(account_id, start)
                if start == min(scored) or start not in self.grid or not state.paying or state.noticed:
                    continue
                if start + days(90 + GRACE) > self.last:
                    continue
                y = self.churned_within(account_id, start, 90)
                churned.append((account_id, y))
                alive = not on(account_id, start + days(14)).churned
                contact = any(
                    start < day <= start + days(14) for day in self.company.outreach.get(account_id, ())
                )
                if alive:
                    (treated if contact else untreated).append(y)
                said = [
                    needed
                    for day, needed in self.company.verdicts.get(account_id, ())
                    if start <= day <= start + days(90)
                ]
                if y or self.contracted(account_id, start, 90):
                    verdicts.append("needed")
                elif said:
                    verdicts.append("needed" if all(said) else "not")
                else:
                    verdicts.append("unknown" if alive and contact else "not")
        needed, unknown = verdicts.count("needed"), verdicts.count("unknown")
        return {
            "n": len(churned),
            "accounts": len({account_id for account_id, _ in churned}),
            "precision_churn_90d": share([y for _, y in churned]),
            "ci": wilson(churned),
            "unknown": unknown,
            "needed_low": needed / len(verdicts) if verdicts else None,
            "needed_high": needed / (len(verdicts) - unknown) if len(verdicts) > unknown else None,
            "churn_treated": share(treated),
            "churn_untreated": share(untreated),
        }

    def _trend(self) -> dict[str, Any]:
        moves: dict[str, list[tuple[bool, bool | None]]] = {"declining": [], "steady": [], "improving": []}
        for seen in self.known(90):
            scored = self.by_account[seen.account_id]
            before, after = scored.get(seen.day - days(7)), scored.get(seen.day + days(28))
            if before is None:
                continue
            change = seen.score - before.score
            trend = "declining" if change <= -5 else "improving" if change >= 5 else "steady"
            holds = None
            if after is not None and trend != "steady":
                holds = (after.score - before.score) * change > 0
            moves[trend].append((seen.y, holds))
        return {
            trend: {
                "n": len(found),
                "churn_90d": share([y for y, _ in found]),
                "holds_28d": share([holds for _, holds in found if holds is not None]),
            }
            for trend, found in moves.items()
        }

    def _renewals(self) -> dict[str, Any]:
        on = self.company.on
        found = {bucket: {"n": 0, "lost": 0, "contracted": 0, "flat": 0, "expanded": 0} for bucket in BUCKETS}
        for account_id, scored in self.by_account.items():
            ends = {
                version.current_period_end.date()
                for versions in self.company.subscriptions.get(account_id, ())
                for version in versions
                if version.current_period_end
            }
            for end in ends:
                early = end - days(60)
                renews = any(
                    status in LIVE and version.current_period_end and version.current_period_end.date() == end
                    for version, status in self.company.in_force(account_id, early)
                )
                if not renews or end + days(GRACE) > self.last:
                    continue
                if not (on(account_id, end - days(1)).paying or on(account_id, early).paying):
                    continue
                near = [day for day in scored if end - days(37) <= day <= end - days(30)]
                if not near:
                    continue
                shown = found[scored[max(near)].bucket]
                shown["n"] += 1
                before, after = on(account_id, early).mrr, on(account_id, end + days(GRACE))
                if after.churned:
                    shown["lost"] += 1
                elif before is None or after.mrr is None:
                    continue
                elif after.mrr < before * Decimal("0.99"):
                    shown["contracted"] += 1
                elif after.mrr > before * Decimal("1.01"):
                    shown["expanded"] += 1
                else:
                    shown["flat"] += 1
        return found


def horizon_figures(known: Sequence[Observation]) -> dict[str, Any]:
    """All of one horizon."""
    events = len({seen.account_id for seen in known if seen.y})
    area = auc(known) if events >= FEW else None
    return {
        "n": len(known),
        "accounts": len({seen.account_id for seen in known}),
        "positives": sum(seen.y for seen in known),
        "events": events,
        "base_rate": share([seen.y for seen in known]),
        "base_ci": wilson([(seen.account_id, seen.y) for seen in known]),
        "contraction_rate": share([seen.contracted for seen in known]),
        "expansion_rate": share([seen.expanded for seen in known]),
        "buckets": {bucket: _bucket(known, bucket) for bucket in BUCKETS},
        "auc": area[0] if area else None,
        "auc_ci": area[1] if area else None,
        **{level: _flagged(known, is_flagged) for level, is_flagged in FLAGGED.items()},
        "top10_precision": precision_at(known, 10),
    }


def _bucket(known: Sequence[Observation], bucket: str) -> dict[str, Any]:
    inside = [seen for seen in known if seen.bucket == bucket]
    ratio, interval = lift(known, lambda seen: seen.bucket == bucket)
    return {
        "n": len(inside),
        "accounts": len({seen.account_id for seen in inside}),
        "churn_rate": share([seen.y for seen in inside]),
        "ci": wilson([(seen.account_id, seen.y) for seen in inside]),
        "lift": ratio,
        "lift_ci": interval,
    }


def _flagged(known: Sequence[Observation], is_flagged: Callable[[str], bool]) -> dict[str, Any]:
    inside = [seen for seen in known if is_flagged(seen.bucket)]
    ratio, interval = lift(known, lambda seen: is_flagged(seen.bucket))

    def rate(over: Iterable[Observation], hit: Callable[[Observation], bool]) -> tuple[float | None, Any]:
        rows = [(seen.account_id, hit(seen)) for seen in over]
        return share([is_hit for _, is_hit in rows]), wilson(rows)

    precision = rate(inside, lambda seen: seen.y)
    recall = rate([seen for seen in known if seen.y], lambda seen: is_flagged(seen.bucket))
    fpr = rate([seen for seen in known if not seen.y], lambda seen: is_flagged(seen.bucket))
    bad = rate(inside, lambda seen: seen.bad)
    return {
        "share": share([is_flagged(seen.bucket) for seen in known]),
        "precision": precision[0],
        "precision_ci": precision[1],
        "recall": recall[0],
        "recall_ci": recall[1],
        "fpr": fpr[0],
        "fpr_ci": fpr[1],
        "precision_bad": bad[0],
        "precision_bad_ci": bad[1],
        "lift": ratio,
        "lift_ci": interval,
    }


# -- statistics


def share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def times_100(value: float | None) -> float | None:
    return None if value is None else 100 * value


def quantile(values: Sequence[float], part: float) -> float | None:
    """Linear between the two nearest values."""
    if not values:
        return None
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def wilson(rows: Sequence[tuple[str, bool]]) -> list[float] | None:
    """Wilson's interval of a share, clustered by account."""
    if not rows:
        return None
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for account_id, is_hit in rows:
        counts[account_id][0] += 1
        counts[account_id][1] += is_hit
    m, n = len(counts), len(rows)
    p = sum(hits for _, hits in counts.values()) / n
    if p in (0, 1):
        size = float(m)
    elif m == 1:
        return None
    else:
        v = m / (m - 1) * sum((hits - p * count) ** 2 for count, hits in counts.values()) / n**2
        if v < 1e-18:  # every account has the same share
            return [p, p]
        size = p * (1 - p) / v
    middle = (p + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * sqrt(p * (1 - p) / size + Z**2 / (4 * size**2))
    return [max(0.0, middle - half), min(1.0, middle + half)]


def lift(known: Sequence[Observation], is_in: Callable[[Observation], bool]) -> tuple[float | None, Any]:
    """Rate inside by rate of all, and its interval on the log scale."""
    inside = [seen for seen in known if is_in(seen)]
    all_hits, hits = sum(seen.y for seen in known), sum(seen.y for seen in inside)
    if not inside or not all_hits:
        return None, None
    p, q = hits / len(inside), all_hits / len(known)
    if not hits:
        return 0.0, None
    moves: dict[str, float] = defaultdict(float)
    for seen in known:
        moves[seen.account_id] -= (seen.y - q) / (len(known) * q)
        if is_in(seen):
            moves[seen.account_id] += (seen.y - p) / (len(inside) * p)
    m = len(moves)
    if m == 1:
        return p / q, None
    half = Z * sqrt(m / (m - 1) * sum(move**2 for move in moves.values()))
    return p / q, [exp(log(p / q) - half), exp(log(p / q) + half)]


def auc(known: Sequence[Observation]) -> tuple[float, list[float] | None] | None:
    """The area and its interval by Obuchowski (1997)."""
    churners = sorted(seen.score for seen in known if seen.y)
    others = sorted(seen.score for seen in known if not seen.y)
    if not churners or not others:
        return None
    m, n = len(churners), len(others)

    def place_of_churner(score: float) -> float:
        above = n - bisect_right(others, score)
        ties = bisect_right(others, score) - bisect_left(others, score)
        return (above + ties / 2) / n

    def place_of_other(score: float) -> float:
        below = bisect_left(churners, score)
        ties = bisect_right(churners, score) - below
        return (below + ties / 2) / m

    area = sum(map(place_of_churner, churners)) / m
    x: dict[str, list[float]] = defaultdict(list)
    y: dict[str, list[float]] = defaultdict(list)
    for seen in known:
        if seen.y:
            x[seen.account_id].append(place_of_churner(seen.score))
        else:
            y[seen.account_id].append(place_of_other(seen.score))
    accounts = {seen.account_id for seen in known}
    i10, i01, i = len(x), len(y), len(accounts)
    if i10 < 2 or i01 < 2:
        return area, None
    s10 = i10 / ((i10 - 1) * m) * sum((sum(x[one]) - len(x[one]) * area) ** 2 for one in list(x))
    s01 = i01 / ((i01 - 1) * n) * sum((sum(y[one]) - len(y[one]) * area) ** 2 for one in list(y))
    s11 = (
        i
        / (i - 1)
        * sum(
            (sum(x.get(one, ())) - len(x.get(one, ())) * area)
            * (sum(y.get(one, ())) - len(y.get(one, ())) * area)
            for one in accounts
        )
    )
    variance = max(0.0, s10 / m + s01 / n + 2 * s11 / (m * n))
    return area, [max(0.0, area - Z * sqrt(variance)), min(1.0, area + Z * sqrt(variance))]


def precision_at(known: Sequence[Observation], k: int) -> float | None:
    """The k lowest scores of each day, ties at the limit in equal parts."""
    by_day: dict[date, list[Observation]] = defaultdict(list)
    for seen in known:
        by_day[seen.day].append(seen)
    taken = found = 0.0
    for seen_that_day in by_day.values():
        room = float(k)
        for score in sorted({seen.score for seen in seen_that_day}):
            tied = [seen for seen in seen_that_day if seen.score == score]
            part = min(1.0, room / len(tied))
            taken += part * len(tied)
            found += part * sum(seen.y for seen in tied)
            room -= part * len(tied)
            if room <= 0:
                break
    return found / taken if taken else None


def rounded(value: Any) -> Any:
    """Numbers to four decimals."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


def differences(expected: Any, found: Any, where: str = "") -> list[str]:
    """Where figures are not those of the definitions; further ones are free."""
    if isinstance(expected, dict):
        return [
            line
            for key, value in expected.items()
            for line in differences(
                value, found.get(key, "missing") if isinstance(found, dict) else "missing", f"{where}.{key}"
            )
        ]
    if expected == found:
        return []
    return [f"{where[1:]}: {found!r}, by the definitions {expected!r}"]
