"""Weekly metrics, cohorts, the audit of rules and signals by outcome in plain Python, from their definitions.

What belongs here: what docs/measurement.md says of these tables, read from its text and not from the SQL.
What does not: the definitions that the backtest has too (`measurement`), and speed.
"""

from __future__ import annotations

import itertools
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import ceil
from statistics import median
from typing import Any

from tests.oracle.measurement import (
    FEW,
    GRACE,
    LIVE,
    Measured,
    Observation,
    auc,
    days,
    lift,
    quantile,
    share,
    wilson,
)

Key = tuple[Any, ...]
Z = 1.959963984540054


@dataclass(frozen=True)
class Action:
    """A task or alert that somebody got, or waits for."""

    action_id: str
    account_id: str
    owner_id: str | None
    channel: str
    released_on: date | None
    due_at: datetime | None
    ended_on: date | None = None
    done_at: datetime | None = None


@dataclass
class Work:
    """What a company did about its scores, and what the scores were made of."""

    overridden: set[tuple[str, date]] = field(default_factory=set)
    actions: Sequence[Action] = ()
    to_expand: set[tuple[str, date]] = field(default_factory=set)
    """Accounts and days that the rules flagged as ready to grow."""
    fired: Mapping[tuple[str, date], Mapping[str, float]] = field(default_factory=dict)
    """Of an account and day, the rules that fired with their points."""
    totals: Mapping[tuple[str, date], float] = field(default_factory=dict)
    """Of an account and day, the score before it is cut at 0 and 100."""
    rules: Sequence[str] = ()
    signals: Mapping[str, Mapping[tuple[str, date], float | None]] = field(default_factory=dict)
    """Of a signal, its values; None or missing: not known."""
    segments: Mapping[str, str] = field(default_factory=dict)
    arr: float = 1200.0


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


class Metrics:
    """The rows of the tables, by their grain."""

    def __init__(self, measured: Measured, work: Work) -> None:
        self.measured, self.work = measured, work
        self.company, self.last = measured.company, measured.last
        self.observed = measured.on_grid[0]

    # -- weekly

    def weekly(self) -> dict[Key, dict[str, Any]]:
        """By week, metric, horizon and slice."""
        cases: dict[Key, list[tuple[str, Any, Any]]] = defaultdict(list)
        is_open: dict[Key, bool] = defaultdict(bool)

        def add(key: Key, account: str, n: Any, hits: Any, young: bool) -> None:
            full = key if len(key) == 4 else (*key, "all")
            cases[full].append((account, Decimal(n), Decimal(hits)))
            is_open[full] |= young

        self._outcomes(add)
        self._renewals(add)
        self._retention(add)
        self._work(add)
        weeks = {monday(day) for day in self.measured.dates}
        return {key: self._row(key[1], rows, is_open[key]) for key, rows in cases.items() if key[0] in weeks}

    @staticmethod
    def _row(metric: str, rows: list[tuple[str, Decimal, Decimal]], young: bool) -> dict[str, Any]:
        if young:
            return {"is_open": True, "value": None, "n": None}
        n, hits = sum(row[1] for row in rows), sum(row[2] for row in rows)
        value = None if not n else float(hits / n) * (100 if metric == "tasks_per_100_accounts" else 1)
        interval: list[float] | None = None
        if metric not in ("net_revenue_retention", "days_to_first_outreach", "tasks_per_100_accounts"):
            interval = weighted_wilson([(account, float(a), float(b)) for account, a, b in rows if a])
        return {
            "is_open": False,
            "numerator": float(hits),
            "denominator": float(n),
            "value": value,
            "ci": interval,
            "n": sum(1 for row in rows if row[1]),
            "accounts": len({row[0] for row in rows if row[1]}),
        }

    def _outcomes(self, add: Callable[..., None]) -> None:
        for horizon in (30, 90):
            known = {(one.account_id, one.day): one for one in self.measured.known(horizon)}
            for score in self.observed:
                key = (score.account_id, score.day)
                seen = known.get(key)
                young = score.day + days(horizon + GRACE) > self.last
                y = bool(seen and seen.y)
                for metric, is_case, is_hit in (
                    ("base_rate", True, y),
                    ("precision", score.bucket == "at_risk", y),
                    ("false_positive_rate", not y, score.bucket == "at_risk"),
                    ("missed_risk", y, score.bucket == "healthy"),
                    ("expansion_hits", key in self.work.to_expand, bool(seen and seen.expanded)),
                ):
                    n = int(seen is not None and is_case)
                    add((monday(score.day), metric, horizon), score.account_id, n, n * is_hit, young)
        for score in self.observed:
            scored = self.measured.by_account[score.account_id]
            before, after = scored.get(score.day - days(7)), scored.get(score.day + days(28))
            if before is None or abs(score.score - before.score) < 5:
                continue
            move = score.score - before.score
            stays = after is not None and (after.score - before.score) * move > 0
            add(
                (monday(score.day), "trend_accuracy", 28),
                score.account_id,
                int(after is not None),
                int(stays),
                score.day + days(28) > self.last,
            )

    def _renewals(self, add: Callable[..., None]) -> None:
        on = self.company.on
        for account, scored in self.measured.by_account.items():
            ends = {
                version.current_period_end.date()
                for versions in self.company.subscriptions.get(account, ())
                for version in versions
                if version.current_period_end
            }
            for end in ends:
                early = end - days(60)
                renews = any(
                    status in LIVE and version.current_period_end and version.current_period_end.date() == end
                    for version, status in self.company.in_force(account, early)
                )
                near = [day for day in scored if end - days(37) <= day <= end - days(30)]
                if not renews or end + days(GRACE) > self.last or not near:
                    continue
                if not (on(account, end - days(1)).paying or on(account, early).paying):
                    continue
                before, after = on(account, early).mrr, on(account, end + days(GRACE))
                if after.churned:
                    result = "lost"
                elif before is None or after.mrr is None:
                    result = "unknown"
                elif after.mrr < before * Decimal("0.99"):
                    result = "contracted"
                else:
                    result = "expanded" if after.mrr > before * Decimal("1.01") else "flat"
                young = monday(end) + days(6 + GRACE) > self.last
                flagged = scored[max(near)].bucket == "at_risk"
                for metric, n, hit in (
                    ("renewal_rate", 1, result != "lost"),
                    ("renewal_rate_of_flagged", int(flagged), result != "lost"),
                    ("renewals_contracted", int(result != "unknown"), result == "contracted"),
                    ("renewals_flat", int(result != "unknown"), result == "flat"),
                    ("renewals_expanded", int(result != "unknown"), result == "expanded"),
                ):
                    add((monday(end), metric, 0), account, n, n * hit, young)

    def _retention(self, add: Callable[..., None]) -> None:
        on = self.company.on
        for week in {monday(day) for day in self.measured.dates}:
            for horizon in (30, 90, 365):
                start = week - days(horizon)
                for account in self.company.subscriptions:
                    before, after = on(account, start), on(account, week)
                    if not before.paying:
                        continue
                    if horizon != 365:
                        left = any(start < churn.day <= week for churn in self.measured.churns[account])
                        young = week + days(GRACE) > self.last
                        add((week, "logo_churn", horizon), account, 1, int(left), young)
                    known = before.mrr is not None and after.mrr is not None
                    a, b = (before.mrr, after.mrr) if known else (Decimal(0), Decimal(0))
                    assert a is not None
                    assert b is not None
                    add((week, "gross_revenue_retention", horizon), account, a, min(a, b), False)
                    add((week, "net_revenue_retention", horizon), account, a, b, False)

    def _work(self, add: Callable[..., None]) -> None:
        by_week: dict[date, list[date]] = defaultdict(list)
        for day in self.measured.dates:
            by_week[monday(day)].append(day)
        for week, scored_days in by_week.items():
            for account, scored in self.measured.by_account.items():
                if max(scored_days) not in scored:
                    continue
                young = week + days(6) > self.last
                is_overridden = (account, max(scored_days)) in self.work.overridden
                add((week, "overridden", 0), account, 1, int(is_overridden), young)
                add((week, "tasks_per_100_accounts", 0), account, 1, 0, young)
        for action in self.work.actions:
            if action.released_on and action.channel == "crm_task":
                week = monday(action.released_on)
                young = week + days(6) > self.last
                add((week, "tasks_per_100_accounts", 0), action.account_id, 0, 1, young)
            if action.released_on and action.due_at:
                done = action.done_at is not None and action.done_at <= action.due_at
                if not done and action.ended_on and action.ended_on <= action.due_at.date():
                    continue
                week = monday(action.due_at.date())
                young = week + days(6) > self.last
                for part in ("all", action.owner_id or "none"):
                    add((week, "follow_through", 0, part), action.account_id, 1, int(done), young)
        for account, scored in self.measured.by_account.items():
            ordered = sorted(scored)
            for earlier, day in itertools.pairwise(ordered):
                if scored[earlier].bucket == scored[day].bucket:
                    continue
                seen = any(
                    day <= judged <= day + days(7) for judged, _ in self.company.verdicts.get(account, ())
                )
                young = max(day + days(7), monday(day) + days(6)) > self.last
                add((monday(day), "reviewed_changes", 7), account, 1, int(seen), young)
            for run in self.measured.runs(account, "at_risk"):
                start = run[0]
                if start == ordered[0]:
                    continue
                later = [day for day in self.company.outreach.get(account, ()) if day > start]
                wait = (min(later) - start).days if later else None
                sunday = monday(start) + days(6)
                add(
                    (monday(start), "reached_after_flag", 14),
                    account,
                    1,
                    int(wait is not None and wait <= 14),
                    max(start + days(14), sunday) > self.last,
                )
                in_time = wait is not None and wait <= 90
                add(
                    (monday(start), "days_to_first_outreach", 90),
                    account,
                    int(in_time),
                    wait if in_time else 0,
                    (sunday if wait is not None else max(start + days(90), sunday)) > self.last,
                )

    # -- cohorts

    def cohorts(self) -> dict[Key, dict[str, Any]]:
        """By start month, plan and months since."""
        on = self.company.on
        members: dict[tuple[date, str], list[tuple[str, date]]] = defaultdict(list)
        for account, subscriptions in self.company.subscriptions.items():
            day = min(version.started_at.date() for versions in subscriptions for version in versions)
            while day <= self.last and not on(account, day).paying:
                day += days(1)
            if day <= self.last:
                live = [one for one, status in self.company.in_force(account, day) if status in LIVE]
                plan = max(live, key=lambda one: one.subscription_id).plan_id
                members[day.replace(day=1), plan].append((account, day))
        found = {}
        for (month, plan), accounts in members.items():
            for number in range(25):
                if _add_months(month, number) > self.last:
                    break
                compared = [(account, day, _add_months(day, number)) for account, day in accounts]
                if any(then > self.last for _, _, then in compared):
                    found[month, plan, number] = {"accounts": len(accounts), "is_open": True, "value": None}
                    continue
                stays = [(account, not on(account, then).churned) for account, _, then in compared]
                money = [(on(account, day).mrr, on(account, then).mrr) for account, day, then in compared]
                known = [(a, b) for a, b in money if a is not None and b is not None]
                start = sum((a for a, _ in known), Decimal(0))
                found[month, plan, number] = {
                    "accounts": len(accounts),
                    "is_open": False,
                    "value": share([stay for _, stay in stays]),
                    "ci": wilson(stays),
                    "gross": float(sum(min(a, b) for a, b in known) / start) if start else None,
                    "net": float(sum(b for _, b in known) / start) if start else None,
                }
        return found

    # -- buckets

    def buckets(self) -> dict[Key, dict[str, Any]]:
        """Of the accounts of each bucket in the newest quarter that is old enough: those that left."""
        newest = self.last - days(90 + GRACE)
        first: dict[tuple[str, str], Observation] = {}
        for one in sorted(self.measured.known(90), key=lambda one: one.day):
            if newest - days(90) <= one.day <= newest:
                first.setdefault((one.bucket, one.account_id), one)
        found: dict[Key, dict[str, Any]] = {}
        for bucket in {bucket for bucket, _ in first}:
            left = [(account, one.y) for (at, account), one in first.items() if at == bucket]
            found[(bucket,)] = {
                "first": newest - days(90),
                "last": newest,
                "accounts": len(left),
                "churned": sum(y for _, y in left),
                "rate": share([y for _, y in left]),
                "ci": wilson(left),
            }
        return found

    # -- rules

    def rules(self) -> dict[Key, dict[str, Any]]:
        """By rule and period."""
        newest = self.last - days(90 + GRACE)
        periods = {
            "all": (date.min, date.max),
            "quarter": (newest - days(90), newest),
            "quarter_before": (newest - days(181), newest - days(91)),
        }
        known = {(one.account_id, one.day): one for one in self.measured.known(90)}
        found: dict[Key, dict[str, Any]] = {}
        for rule in self.work.rules:
            covers, churned = [], set()
            for period, (first, last) in periods.items():
                inside = [score for score in self.observed if first <= score.day <= last]
                if not inside:
                    continue
                keys = [(score.account_id, score.day) for score in inside]
                fired = [key for key in keys if rule in self.work.fired.get(key, ())]
                judged = [known[key] for key in fired if key in known]
                everything = [known[key] for key in keys if key in known]
                interval = wilson([(one.account_id, one.y) for one in judged])
                base = share([one.y for one in everything])
                row = {
                    "fired": len(fired),
                    "accounts": len({account for account, _ in fired}),
                    "known": len(judged),
                    "churned": sum(one.y for one in judged),
                    "bad": sum(one.bad for one in judged),
                    "fired_open": sum(day > newest for _, day in fired),
                    "treated": sum(self._is_treated(one) for one in judged),
                    "precision": share([one.y for one in judged]),
                    "ci": interval,
                    "base_observations": len(everything),
                    "base_rate": base,
                    "arr": self.work.arr * len({account for account, _ in fired}) or None,
                    "churned_arr": self.work.arr * len({one.account_id for one in judged if one.y}) or None,
                }
                if period == "all":
                    leads = self._leads(rule)
                    row["warned"], row["lead"] = len(leads), median(leads) if leads else None
                    row |= self._without(rule, everything)
                else:
                    churned |= {one.account_id for one in everything if one.y}
                    if interval and base is not None:
                        covers.append(round(interval[0], 12) <= base <= round(interval[1], 12))
                found[rule, period] = row
            for period in periods:
                if (rule, period) in found:
                    found[rule, period]["retire"] = len(covers) == 2 and all(covers) and len(churned) >= FEW
        return found

    def _is_treated(self, seen: Observation) -> bool:
        reached = any(
            seen.day < day <= seen.day + days(14) for day in self.company.outreach.get(seen.account_id, ())
        )
        return reached and not self.company.on(seen.account_id, seen.day + days(14)).churned

    def _leads(self, rule: str) -> list[int]:
        found = []
        for account, churns in self.measured.churns.items():
            scored = sorted(self.measured.by_account.get(account, ()))
            for churn in churns:
                before = [day for day in scored if day < churn.notice]
                if not churn.was_paying or not before or before[-1] < churn.notice - days(30):
                    continue
                start = None
                for day in reversed(before):
                    if rule not in self.work.fired.get((account, day), ()):
                        break
                    start = day
                if start is not None:
                    found.append((churn.notice - start).days)
        return found

    def _without(self, rule: str, everything: Sequence[Observation]) -> dict[str, Any]:
        empty = {"auc_without": None, "difference": None, "difference_ci": None}
        if len({one.account_id for one in everything if one.y}) < FEW:
            return empty

        def other(one: Observation) -> float:
            key = (one.account_id, one.day)
            total = self.work.totals[key] - self.work.fired.get(key, {}).get(rule, 0)
            return min(100.0, max(0.0, total))

        with_rule = [(one.account_id, one.y, one.score) for one in everything]
        without = [(one.account_id, one.y, other(one)) for one in everything]
        area = pairwise(without)
        if area is None:
            return empty
        difference, interval = paired_difference(with_rule, without)
        return {"auc_without": area, "difference": difference, "difference_ci": interval}

    # -- signals

    def signals(self) -> dict[Key, dict[str, Any]]:
        """By outcome, segment, signal and group."""
        found: dict[Key, dict[str, Any]] = {}
        known = self.measured.known(90)
        for segment in ("all", *sorted(set(self.work.segments.values()))):
            inside = [
                one for one in known if segment in ("all", self.work.segments.get(one.account_id, "none"))
            ]
            for signal, values in self.work.signals.items():
                for outcome in ("churn", "expansion"):
                    rows = [
                        (
                            one,
                            values.get((one.account_id, one.day)),
                            one.y if outcome == "churn" else one.expanded,
                        )
                        for one in inside
                    ]
                    for group, row in signal_groups(rows).items():
                        found[outcome, segment, signal, group] = row
        return found


def signal_groups(rows: Sequence[tuple[Observation, float | None, bool]]) -> dict[str, dict[str, Any]]:
    """The groups of one signal; rows are observations, values and whether the outcome came."""
    # `lift` and `auc` look at the outcome and the score: an observation with the value as its score
    seen = [
        Observation(one.account_id, one.day, value, "", hit, False, False)
        for one, value, hit in rows
        if value is not None
    ]
    groups: dict[str, list[Observation]] = defaultdict(list)
    ordered = sorted(one.score for one in seen)
    for one in seen:
        up_to = sum(value <= one.score for value in ordered)
        groups["all"].append(one)
        groups["with_outcome" if one.y else "without_outcome"].append(one)
        groups[f"fifth_{ceil(round(5 * up_to / len(seen), 9))}"].append(one)
    found = {}
    for name, inside in groups.items():
        scores = [one.score for one in inside]
        row: dict[str, Any] = {
            "observations": len(inside),
            "accounts": len({one.account_id for one in inside}),
            "with_outcome": sum(one.y for one in inside),
            "values": [quantile(scores, part) for part in (0, 0.25, 0.5, 0.75, 1)],
        }
        if name == "all":
            row["without_value"] = len(rows) - len(seen)
            enough = len({one.account_id for one in inside if one.y}) >= FEW
            area = auc(inside) if enough else None
            row["auc"], row["auc_ci"] = area or (None, None)
        if name == "all" or name.startswith("fifth"):
            chosen = {(one.account_id, one.day) for one in inside}
            row["rate"] = share([one.y for one in inside])
            row["ci"] = wilson([(one.account_id, one.y) for one in inside])
            row["lift"], row["lift_ci"] = lift(
                seen,
                lambda one, chosen=chosen: (one.account_id, one.day) in chosen,  # type: ignore[misc]
            )
        found[name] = row
    return found


Scored = tuple[str, bool, float]


def pairwise(rows: Sequence[Scored]) -> float | None:
    """AUC, pair by pair."""
    left = [score for _, y, score in rows if y]
    stayed = [score for _, y, score in rows if not y]
    if not left or not stayed:
        return None
    return sum((a < b) + (a == b) / 2 for a in left for b in stayed) / len(left) / len(stayed)


def paired_difference(first: Sequence[Scored], second: Sequence[Scored]) -> tuple[float, list[float] | None]:
    """AUC of the first less that of the second over the same observations, with Obuchowski's interval."""
    left = [n for n, (_, y, _) in enumerate(first) if y]
    stayed = [n for n, (_, y, _) in enumerate(first) if not y]

    def wins(rows: Sequence[Scored], a: int, b: int) -> float:
        return (rows[a][2] < rows[b][2]) + (rows[a][2] == rows[b][2]) / 2

    x: dict[str, float] = defaultdict(float)
    y: dict[str, float] = defaultdict(float)
    m, n = len(left), len(stayed)
    counts_x: dict[str, int] = defaultdict(int)
    counts_y: dict[str, int] = defaultdict(int)
    total = 0.0
    for a in left:
        counts_x[first[a][0]] += 1
    for b in stayed:
        counts_y[first[b][0]] += 1
    for a in left:
        for b in stayed:
            gain = wins(first, a, b) - wins(second, a, b)
            total += gain
            x[first[a][0]] += gain / n
            y[first[b][0]] += gain / m
    area = total / m / n
    if len(counts_x) < 2 or len(counts_y) < 2:
        return area, None
    accounts = {account for account, _, _ in first}

    def off_x(account: str) -> float:
        return x[account] - counts_x[account] * area

    def off_y(account: str) -> float:
        return y[account] - counts_y[account] * area

    k, j, i = len(counts_x), len(counts_y), len(accounts)
    variance = (
        k / (k - 1) * sum(off_x(one) ** 2 for one in list(counts_x)) / m**2
        + j / (j - 1) * sum(off_y(one) ** 2 for one in list(counts_y)) / n**2
        + 2 * i / (i - 1) * sum(off_x(one) * off_y(one) for one in accounts) / (m * n)
    )
    half = Z * max(0.0, variance) ** 0.5
    return area, [area - half, area + half]


def weighted_wilson(rows: Iterable[tuple[str, float, float]]) -> list[float] | None:
    """Wilson's interval of a ratio of sums, clustered by account: with amounts instead of counts."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for account, n, hits in rows:
        sums[account][0] += n
        sums[account][1] += hits
    if not sums:
        return None
    m, total = len(sums), sum(n for n, _ in sums.values())
    p = sum(hits for _, hits in sums.values()) / total
    if p in (0, 1):
        size = float(m)
    elif m == 1:
        return None
    else:
        v = m / (m - 1) * sum((hits - p * n) ** 2 for n, hits in sums.values()) / total**2
        if v < 1e-18:
            return [p, p]
        size = p * (1 - p) / v
    middle = (p + Z**2 / (2 * size)) / (1 + Z**2 / size)
    half = Z / (1 + Z**2 / size) * (p * (1 - p) / size + Z**2 / (4 * size**2)) ** 0.5
    return [max(0.0, middle - half), min(1.0, middle + half)]


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
