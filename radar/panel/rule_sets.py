"""What people decide about rule sets: added to the store, never changed.

A shadow becomes the champion rule set where one person proposes it and another confirms; one person takes
that back, retires a rule set, or has one scored as a shadow. The next run follows (`radar.rules.promotions`).
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radar.core.dates import day
from radar.core.errors import UsageError
from radar.core.plural import counted
from radar.core.runs import utc_now
from radar.panel.store import Store
from radar.rules.promotions import (
    PROMOTED,
    PROPOSED,
    RETIRED,
    ROLLED_BACK,
    SEEDS,
    SHADOWED,
    RuleSetDecision,
    read,
)

CHAMPIONS = (PROMOTED, ROLLED_BACK, SEEDS)
"""Kinds of decisions after which their rule set is the champion rule set."""
_COMMAND = "`radar rules states` shows every rule set"

States = Sequence[Mapping[str, Any]]
"""Rows of marts.rpt_rule_set_states."""


@dataclass(frozen=True)
class Standing:
    """Rule sets as the last run had them (`by_name`), and the champion rule set as decided since."""

    by_name: Mapping[str, Mapping[str, Any]]
    champion: str
    made: Sequence[RuleSetDecision]

    @classmethod
    def of(cls, states: States, made: Sequence[RuleSetDecision]) -> Standing:
        """`made`: every decision, the oldest first."""
        by_name = {row["rule_set"]: row for row in states}
        last = next((one for one in reversed(made) if one.kind in CHAMPIONS), None)
        published = next(row["rule_set"] for row in states if row["status"] == "champion")
        return cls(by_name, last.rule_set if last else published, made)

    def proposal(self, rule_set: str) -> RuleSetDecision | None:
        """The open proposal to promote it, with its present rules, over the present champion rule set."""
        for one in reversed(self.made):
            if one.kind in CHAMPIONS or (one.kind in (RETIRED, SHADOWED) and one.rule_set == rule_set):
                return None
            if one.kind == PROPOSED and one.rule_set == rule_set:
                row = self.by_name.get(rule_set)
                is_same = row is not None and row["rule_version"] == one.rule_version
                return one if is_same and one.champion == self.champion else None
        return None

    def before(self) -> str | None:
        """The champion rule set that the last promotion replaced; None where the last word was another."""
        for one in reversed(self.made):
            if one.kind == ROLLED_BACK:
                return None
            if one.kind in CHAMPIONS and one.champion != self.champion:
                return one.champion
        return None


def state_text(row: Mapping[str, Any]) -> str:
    """What a rule set is, since when."""
    since = f" since {day(row['status_since'])}"
    if row["state"] == "eligible":
        return f"shadow{since}, may be promoted"
    if row["state"] == "shadow":
        return f"shadow{since}, may be promoted from {day(row['eligible_on'])} on"
    return f"{row['state']}{since}"


def report(row: Mapping[str, Any]) -> list[str]:
    """What a shadow would have done since then, as sentences; nothing of what is none."""
    if row["status"] != "shadow":
        return []
    if not row["compared_days"]:
        return ["No recorded day yet: the next run scores it."]
    days, checks = row["compared_days"], row["spot_checks"]
    lines = [
        f"On {counted(days, 'recorded day')} it would have sent {counted(row['alerts'], 'alert')}, "
        f"the champion rule set {row['champion_alerts']:,}."
    ]
    if row["accounts"]:
        lines.append(
            f"Of {counted(row['accounts'], 'account')} today {counted(row['accounts_worse'], 'is', 'are')} "
            f"in a worse bucket and {row['accounts_better']:,} in a better one."
        )
    if not checks:
        return [
            *lines,
            "No spot check of these days was answered: nobody knows which of the two is right.",
        ]
    return [
        *lines,
        f"It agrees with {row['spot_checks_agreed']:,} of {counted(checks, 'spot check')}, "
        f"the champion rule set with {row['champion_spot_checks_agreed']:,}.",
    ]


def choices(row: Mapping[str, Any], standing: Standing, by: str) -> list[tuple[str, str]]:
    """What somebody may decide about a rule set: kind and label."""
    name, status = row["rule_set"], row["status"]
    if name == standing.champion:
        before = standing.before()
        return [("roll_back", f"Back to {before}")] if before in standing.by_name else []
    found = []
    if row["state"] == "eligible":
        proposal = standing.proposal(name)
        if proposal is None:
            found.append(("promote", "Propose as champion"))
        elif proposal.decided_by.casefold() != by.casefold():
            found.append(("promote", "Confirm as champion"))
    if status in ("candidate", "retired"):
        found.append(("shadow", "Score as a shadow"))
    if status in ("candidate", "shadow"):
        found.append(("retire", "Retire"))
    return found


def decided_text(rule_set: str, standing: Standing) -> str | None:
    """What was decided about it that the last run did not follow yet, or what waits for a second person."""
    proposal = standing.proposal(rule_set)
    if proposal:
        by, on = proposal.decided_by, proposal.decided_at[:10]
        return f"Proposed as champion by {by}, {on}: a second person confirms."
    if rule_set == standing.champion and standing.by_name[rule_set]["status"] != "champion":
        return "The champion rule set from the next run on."
    return None


def promote(store: Store, states: States, rule_set: str, by: str, reason: str | None) -> str:
    """Propose it, or confirm what another person proposed; which, as a sentence. Raises UsageError."""
    with store.writing() as con:
        standing = Standing.of(states, read(con))
        row = _known(standing, rule_set)
        if rule_set == standing.champion:
            raise UsageError(f"{rule_set} is the champion rule set already", _COMMAND)
        if row["status"] != "shadow":
            raise UsageError(
                f"{rule_set} is not scored as a shadow (it is {row['state']})",
                f"have it scored next to the champion rule set first: radar rules shadow {rule_set}",
            )
        if row["state"] != "eligible":
            raise UsageError(
                f"{rule_set} is a shadow since {day(row['status_since'])}, and may be promoted from "
                f"{day(row['eligible_on'])} on",
                "wait until then, or change the setting shadow_days in settings.csv",
            )
        proposal = standing.proposal(rule_set)
        if proposal is None:
            _add(con, standing, PROPOSED, rule_set, by, reason)
            return f"{rule_set} is proposed as champion rule set. A second person has to confirm."
        if proposal.decided_by.casefold() == by.casefold():
            raise UsageError(
                f"{by} proposed {rule_set}: a second person has to confirm",
                "ask somebody else to confirm it on the page Rules, or with the same command as another user",
            )
        _add(con, standing, PROMOTED, rule_set, by, reason, proposed_by=proposal.decided_by)
        return (
            f"{rule_set} is the champion rule set in place of {standing.champion} from the next run on, "
            f"proposed by {proposal.decided_by} and confirmed by {by}."
        )


def roll_back(store: Store, states: States, by: str, reason: str | None) -> str:
    """Put the champion rule set before the last promotion back. Raises UsageError."""
    with store.writing() as con:
        standing = Standing.of(states, read(con))
        before = standing.before()
        if before is None:
            raise UsageError(
                f"no promotion made {standing.champion} the champion rule set, or it was taken back already",
                "promote another rule set, or name the champion in rule_sets.csv",
            )
        _known(standing, before)
        _add(con, standing, ROLLED_BACK, before, by, reason)
        return (
            f"{before} is the champion rule set again in place of {standing.champion} from the next run on."
        )


def retire(store: Store, states: States, rule_set: str, by: str, reason: str | None) -> str:
    """Score it no more. Raises UsageError."""
    return _set_status(store, states, RETIRED, rule_set, by, reason)


def shadow(store: Store, states: States, rule_set: str, by: str, reason: str | None) -> str:
    """Score it next to the champion rule set. Raises UsageError."""
    return _set_status(store, states, SHADOWED, rule_set, by, reason)


def _set_status(  # noqa: PLR0917 what a row has
    store: Store, states: States, kind: str, rule_set: str, by: str, reason: str | None
) -> str:
    with store.writing() as con:
        standing = Standing.of(states, read(con))
        _known(standing, rule_set)
        if rule_set == standing.champion:
            raise UsageError(
                f"{rule_set} is the champion rule set", "promote another, or take the promotion back, first"
            )
        _add(con, standing, kind, rule_set, by, reason)
    what = "is retired" if kind == RETIRED else "is scored as a shadow"
    return f"{rule_set} {what} from the next run on."


def _known(standing: Standing, rule_set: str) -> Mapping[str, Any]:
    if rule_set not in standing.by_name:
        known = ", ".join(sorted(standing.by_name))
        raise UsageError(f"the last run knew no rule set '{rule_set}'", f"name one of {known}")
    return standing.by_name[rule_set]


def _add(  # noqa: PLR0917 what a row has
    con: sqlite3.Connection,
    standing: Standing,
    kind: str,
    rule_set: str,
    by: str,
    reason: str | None,
    proposed_by: str | None = None,
) -> None:
    con.execute(
        "insert into rule_set_decisions (decision_id, kind, rule_set, rule_version, champion, proposed_by,"
        " reason, decided_by, decided_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            f"rules-{secrets.token_hex(12)}",
            kind,
            rule_set,
            standing.by_name[rule_set]["rule_version"],
            standing.champion,
            proposed_by,
            reason or None,
            by,
            f"{utc_now():%Y-%m-%dT%H:%M:%S.%fZ}",
        ],
    )
