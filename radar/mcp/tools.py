"""What each tool answers: what the panel's pages show, for programs.

Belongs here: reading, in the scope of the person, and saying what is not known. Does not belong here: the
protocol (`radar.mcp.server`), who asks (`radar.panel.tokens`), what a statement may contain
(`radar.mcp.statement`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from radar.core.dates import day, moment
from radar.core.plural import counted
from radar.mcp import statement as statements
from radar.mcp.settings import McpSettings
from radar.mcp.statement import RefusedError, plain
from radar.panel import decisions
from radar.panel.changes import PARTS, between, every_day
from radar.panel.labels import fold
from radar.panel.pages.my_day import account_card
from radar.panel.pages.portfolio import GROUPS, ORDERS, listed, listed_accounts
from radar.panel.pages.quality import FEED_STATES
from radar.panel.pages.rules import SEEDS, Fired, seed_row
from radar.panel.people import Person
from radar.panel.published_db import PublishedDatabase, Row
from radar.panel.queries import load
from radar.panel.read_model import ReadModel, read
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from radar.rules.page import rule_texts

CANDIDATES = 5
"""Accounts that are named where several match."""
FACTS = 10
"""Facts of an account, the newest."""
STEPS = 10
"""Days on which a score changed, the newest, and accounts whose score changed most."""
_OWN = {
    "owner_name": "owner", "segment": "segment", "plan_id": "plan", "arr_usd": "ARR",
    "days_to_renewal": "days to renewal",
}  # fmt: skip
"""What an account should have, and what it is called where it is not known."""


@dataclass(frozen=True)
class Answer:
    """What a tool found. `decision`: of the account, or accounts by decision; `sources`: relations and
    feeds."""

    as_of: str
    decision: str | dict[str, int]
    coverage_pct: float | None
    relations: list[str]
    feeds: dict[str, str | None]
    warnings: list[str]
    found: dict[str, Any]
    account_id: str | None = None
    rows: int = 1

    def body(self) -> dict[str, Any]:
        """What is sent."""
        return {
            "as_of": self.as_of,
            "decision": self.decision,
            "coverage_pct": self.coverage_pct,
            "sources": {"relations": self.relations, "feeds_last_arrived_at": self.feeds},
            "warnings": self.warnings,
            "answer": self.found,
        }


@dataclass(frozen=True)
class _Account:
    """One account as the panel has it: its card, and the pieces of its page."""

    card: dict[str, Any]
    details: dict[str, Any]

    @property
    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = self.card["health"]
        return found

    @property
    def name(self) -> dict[str, Any]:
        return {"account_id": self.health["account_id"], "account_name": self.health["account_name"]}


class Tools:
    """The tools, on one published copy and the panel's store. Safe for many threads."""

    def __init__(self, settings: PanelSettings, limits: McpSettings, store: Store) -> None:
        self._settings, self._limits, self._store = settings, limits, store
        self._published_db = PublishedDatabase(
            settings.published, stale_days=settings.stale_days, memory_limit=settings.memory_limit
        )
        self._read_model = ReadModel(self._published_db, settings.cache_folder)
        self._queries = statements.QUERIES

    def prepare(self) -> None:
        """Make what is looked up before the first call, if there is a copy."""
        self._read_model.prepare()

    def close(self) -> None:
        """Close the copy."""
        self._published_db.close()

    # --- accounts -----------------------------------------------------------------------------------------

    def who_needs_me(self, person: Person, limit: int, owner_id: str | None) -> Answer:
        """The review queue, without what is snoozed, with what was decided since."""
        rows = self._read_model.rows(person, load("my_day")["queue"], owner_id=owner_id)
        cards = [self._card(row) for row in rows]
        snoozed = [card["health"]["account_id"] for card in cards if card["snooze"]]
        shown = [card for card in cards if not card["snooze"]][:limit]
        warnings = [f"Snoozed by somebody, and left out: {', '.join(snoozed)}."] if snoozed else []
        undecided = [card for card in shown if card["health"]["decision"] != "decided"]
        warnings += [
            f"{card['health']['account_id']} is not decided: {text}"
            for card in undecided
            for text in _why_not_decided(card["health"])
        ]
        in_queue = self._rows(person, "queue", owner_id=owner_id)[0]["accounts"]
        found = {"accounts": [_queued(card, person) for card in shown], "accounts_in_the_queue": in_queue}
        return self._of_all(
            person, ["marts.rpt_review_queue", "marts.rpt_account_health"], warnings, found, len(shown)
        )

    def account(self, person: Person, account: str) -> Answer:
        """One account: its health, what to do next, what is open, the newest facts."""
        one = self._account(person, account)
        health, card = one.health, one.card
        found = {
            **one.name,
            **{
                name: health[name]
                for name in (
                    "owner_id", "owner_name", "segment", "plan_id", "arr_usd", "days_to_renewal", "score",
                    "score_low", "score_high", "bucket", "model_bucket", "delta_7d", "delta_30d", "trend",
                    "next_action", "next_action_reason", "needs_review", "review_reason",
                )
            },
            "is_overridden": card["is_overridden"],
            "override_reason": health["override_reason"],
            "reasons": card["reasons"],
            "flags": _listed(health["flags"]),
            "open_actions": [
                {
                    **{
                        name: action[name]
                        for name in ("play", "channel", "status", "suppressed_by", "next_action")
                    },
                    "due": _due(action),
                }
                for action in card["actions"]
            ],
            "decided_since_the_run": _pending(card),
            "newest_facts": _newest(one.details.get("facts") or []),
            "conflicts": one.details.get("conflicts") or [],
        }  # fmt: skip
        relations = ["marts.rpt_account_health", "marts.fct_actions", "marts.rpt_account_facts"]
        return self._of_one(person, one, relations, found)

    def why(self, person: Person, account: str) -> Answer:
        """How the score comes about: where it starts, the rules that fire, those that could not be
        evaluated."""
        one = self._account(person, account)
        health, lines = one.health, one.details.get("ledgers") or []
        base = self._one(person, "base_score", rule_set=health["rule_set"])
        found = {
            **one.name,
            **{name: health[name] for name in ("score", "score_low", "score_high", "bucket", "model_bucket")},
            "is_overridden": one.card["is_overridden"],
            "override_reason": health["override_reason"],
            "starts_at": base["base_score"] if base else None,
            "because": [
                {"points": line["points"], "evidence": line["evidence"], "rule_id": line["rule_id"]}
                for line in lines
                if line["result"] == "true"
            ],
            "unknown": [_unknown(line) for line in lines if line["result"] == "unknown"],
            "rule_set": health["rule_set"],
            "rule_version": health["rule_version"],
        }
        return self._of_one(
            person,
            one,
            ["marts.rpt_account_health", "marts.fct_health_evidence"],
            found,
            feeds=_feeds_of(lines),
        )

    def evidence(self, person: Person, account: str) -> Answer:
        """Every rule that fires or is unknown: the value, the threshold, when it was observed, from which
        feeds."""
        one = self._account(person, account)
        lines = one.details.get("ledgers") or []
        names = (
            "rule_id", "result", "points", "flag", "signal", "label", "unit", "observed_value", "threshold",
            "conditions", "is_own_goal", "evidence", "observed_at", "feeds",
        )  # fmt: skip
        found = {
            **one.name,
            "evidence": [
                {name: line[name] for name in names} | (_unknown(line) if line["result"] == "unknown" else {})
                for line in lines
            ],
        }
        return self._of_one(
            person, one, ["marts.fct_health_evidence"], found, feeds=_feeds_of(lines), rows=len(lines)
        )

    def what_changed(
        self, person: Person, account: str | None, since: str | None, until: str | None
    ) -> Answer:
        """The change of an account between two scored dates, by cause; without one, the moves of the week."""
        if account is None:
            return self._moves_of_the_week(person, since or until)
        one = self._account(person, account)
        days = list(every_day(one.details.get("years") or []))
        change = between(days, one.details.get("changes") or [], since or "", until or "")
        if change is None:
            raise RefusedError("There is one scored date of this account, so there is nothing to compare.")
        warnings = []
        unexplained = round(change["after"] - change["before"] - change["explained"], 6)
        if unexplained:
            warnings.append(f"{unexplained:+g} points of the change have no cause on record.")
        for name, asked, used in (("since", since, change["start"]), ("until", until, change["end"])):
            if asked and asked != used:
                warnings.append(
                    f"There is no score of {name} {asked}: {used} is the scored date that was used."
                )
        if len(change["steps"]) > STEPS:
            warnings.append(f"The steps are the last {STEPS} of {len(change['steps'])}.")
        found = {
            **one.name,
            "from": change["start"],
            "to": change["end"],
            "score_before": change["before"],
            "score_after": change["after"],
            "points_by_cause": {PARTS[part]: points for part, points in change["parts"].items()},
            "steps": [
                {"day": step["day"], "change": step["change"], "reasons": step["reasons"]}
                for step in change["steps"][-STEPS:]
            ],
        }
        relations = ["marts.fct_health_history", "marts.fct_score_changes"]
        return self._of_one(person, one, relations, found, warnings=warnings)

    def _moves_of_the_week(self, person: Person, asked: str | None) -> Answer:
        moves = self._published_db.rows(person, load("portfolio")["moves"], segment=None, owner=None)
        movers = self._rows(person, "movers", rows=STEPS)
        warnings = ["Without an account the change is that of the last seven days."] if asked else []
        if not moves:
            warnings.append("There is no scored date a week ago to compare with.")
        found = {
            "compared_with": plain(next((row["compared_with"] for row in moves), None)),
            "moves_between_buckets": [
                {name: plain(row[name]) for name in ("bucket_before", "bucket", "accounts", "arr_usd")}
                for row in moves
                if row["bucket_before"] != row["bucket"]
            ],
            "accounts_that_changed_most": plain(movers),
        }
        relations = ["marts.rpt_bucket_moves", "marts.rpt_account_health"]
        return self._of_all(person, relations, warnings, found, len(movers))

    # --- all accounts -------------------------------------------------------------------------------------

    def portfolio(
        self, person: Person, by: str, sort: str, limit: int, filters: Mapping[str, str | None]
    ) -> Answer:
        """Accounts and revenue by bucket, in all and part by part, and the first accounts of them."""
        given = {name: value for name, value in filters.items() if value is not None}
        order = f"{ORDERS[sort]} {'desc' if sort == 'arr' else 'asc'} nulls last"
        of_parts = {"group": GROUPS[by], "order": "at_risk_arr_usd desc, accounts desc, value"}
        totals = listed(self._read_model, person, given, "totals", {})[0]
        found = {
            "totals": plain(totals),
            "by": by,
            "parts": plain(listed(self._read_model, person, given, "groups", of_parts)),
            "accounts": plain(
                listed_accounts(self._read_model, person, given, order, rows=limit, from_row=0)
            ),
        }
        warnings = [] if totals["accounts"] else ["No account that you may see matches these filters."]
        return self._of_all(person, ["marts.rpt_account_health"], warnings, found, totals["accounts"])

    def rules(self, person: Person, rule_id: str | None) -> Answer:
        """The rules of the champion rule set as text, and how often each fires in this person's accounts."""
        texts = load("rules")

        def ask(name: str) -> list[Row]:
            return self._published_db.rows(person, texts[name])

        seeds = {seed: [seed_row(row) for row in ask(seed)] for seed in SEEDS}
        champion = next(row for row in seeds["rule_sets"] if row["status"] == "champion")
        firings = [row for row in ask("firings") if row["rule_set"] == champion["rule_set"]]
        found = []
        for text in rule_texts(seeds):
            if text.rule_set != champion["rule_set"] or rule_id not in (None, text.rule_id):
                continue
            fired = Fired.of([row for row in firings if row["rule_id"] == text.rule_id])
            found.append(
                {
                    "rule_id": text.rule_id,
                    "title": text.title,
                    "text": [part for row in text.rows for part in (row.sentence, *row.notes)],
                    "needs": text.needs,
                    **({"off": text.off} if text.off else {}),
                    "accounts": fired.accounts,
                    "fires_for": fired.fired,
                    "unknown_for": fired.unknown,
                }
            )
        if not found:
            raise RefusedError(f"There is no rule '{rule_id}' in the champion rule set.")
        names = ("rule_set", "base_score", "watch_from", "healthy_from", "description")
        answer = {"rule_set": {name: champion.get(name) for name in names}, "rules": found}
        relations = ["seeds.rules", "seeds.rule_conditions", "marts.rpt_rule_firings"]
        return self._of_all(person, relations, [], answer, len(found))

    def query(self, person: Person, statement: str) -> Answer:
        """The rows of one select statement on `marts`, of this person's accounts alone."""
        limits = self._limits
        result = statements.run(
            self._published_db.newest()[1].resolve(), person, statement,
            rows=limits.query_rows, seconds=limits.query_seconds, memory_limit=self._settings.memory_limit,
        )  # fmt: skip
        warnings = []
        if result.is_cut:
            warnings.append(f"Only the first {limits.query_rows:,} rows are here; there are more.")
        if any(value is None for row in result.rows for value in row):
            warnings.append("A null is a value that is not known or does not apply: it is not zero.")
        if person.scope is not None:
            warnings.append("Only accounts that you may see are counted, in totals too.")
        found = {"columns": result.columns, "rows": result.rows}
        relations = [f"marts.{relation}" for relation in result.relations]
        return self._of_all(person, relations, warnings, found, len(result.rows))

    # --- what every answer says ---------------------------------------------------------------------------

    def _of_all(
        self, person: Person, relations: list[str], warnings: list[str], found: dict[str, Any], rows: int
    ) -> Answer:
        """An answer about all accounts of this person: how many of them are decided, and how far they are
        covered."""
        by_decision = self._rows(person, "decisions")
        accounts = sum(row["accounts"] for row in by_decision)
        open_ones = [row for row in by_decision if row["decision"] != "decided"]
        warnings = [
            *self._about_data(person),
            *(
                f"The decision is '{row['decision']}' for {row['accounts']:,} of "
                f"{counted(accounts, 'account')}: a person decides."
                for row in open_ones
            ),
            *([] if accounts else ["You see no account: ask whoever administers the panel."]),
            *warnings,
        ]
        covered = sum(
            row["coverage_pct"] * row["accounts"] for row in by_decision if row["coverage_pct"] is not None
        )
        return Answer(
            as_of=self._published_db.about().as_of.isoformat(),
            decision={row["decision"]: row["accounts"] for row in by_decision},
            coverage_pct=round(covered / accounts, 2) if accounts else None,
            relations=relations,
            feeds=self._feeds(person),
            warnings=warnings,
            found=found,
            rows=rows,
        )

    def _of_one(
        self,
        person: Person,
        one: _Account,
        relations: list[str],
        found: dict[str, Any],
        *,
        feeds: Iterable[str] = (),
        rows: int = 1,
        warnings: Iterable[str] = (),
    ) -> Answer:
        """An answer about one account. `feeds`: those that it rests on; all of them where none is named."""
        health = one.health
        not_known = [text for name, text in _OWN.items() if health[name] is None]
        all_warnings = [
            *self._about_data(person),
            *(f"Not decided: {text}" for text in _why_not_decided(health)),
            *(
                [health["unknown_effect"]]
                if health["unknown_effect"] and health["decision"] == "decided"
                else []
            ),
            *([f"Not known of this account: {', '.join(not_known)}."] if not_known else []),
            *warnings,
            *(f"Decided in the panel since the last run: {text}" for text in _pending(one.card)),
        ]
        known = self._feeds(person)
        return Answer(
            as_of=health["as_of_date"],
            decision=health["decision"],
            coverage_pct=health["coverage_pct"],
            relations=relations,
            feeds={feed: known.get(feed) for feed in sorted(set(feeds))} or known,
            warnings=all_warnings,
            found=found,
            account_id=health["account_id"],
            rows=rows,
        )

    def _about_data(self, person: Person) -> list[str]:
        """What is to be known of the whole copy: its age, and feeds whose signals are not known."""
        about = self._published_db.about()
        warnings = []
        if about.is_stale:
            warnings.append(f"The newest scored date is {about.as_of}, {counted(about.days_old, 'day')} ago.")
        for row in self._rows(person, "feeds"):
            if row["state"] not in ("known", "not_used"):
                state = FEED_STATES.get(row["state"], ("", row["state"]))[1]
                arrived = plain(row["last_arrived_at"])
                warnings.append(
                    f"{row['feed']} is {state}; last arrived: {arrived or 'never'}. "
                    f"Signals that are not known without it: {row['signals']}."
                )
        return warnings

    def _feeds(self, person: Person) -> dict[str, str | None]:
        return {row["feed"]: plain(row["last_arrived_at"]) for row in self._rows(person, "feeds")}

    # --- looking up ---------------------------------------------------------------------------------------

    def _account(self, person: Person, asked: str) -> _Account:
        """The account with this id, or the one whose name, id and owner have every word. Raises RefusedError.

        One that does not exist and one that is not theirs to see are refused alike.
        """
        rows = self._read_model.rows(person, load("account")["account"], account_id=asked)
        if not rows:
            words = json.dumps(fold(asked).split())
            found = (
                self._read_model.rows(person, load("account")["find"], words=words) if asked.strip() else []
            )
            if len(found) > 1:
                names = ", ".join(
                    f"{row['account_id']} ({row['account_name']})" for row in found[:CANDIDATES]
                )
                more = " and more" if len(found) > CANDIDATES else ""
                raise RefusedError(f"Several accounts match: {names}{more}. Ask again with an account_id.")
            if not found:
                raise RefusedError(f"There is no account '{asked[:100]}' that you may see.")
            rows = found
        account_id = rows[0]["account_id"]
        details = self._read_model.rows(person, load("account")["details"], account_id=account_id)
        return _Account(self._card(rows[0]), {row["piece"]: read(row["body"]) for row in details})

    def _card(self, row: sqlite3.Row) -> dict[str, Any]:
        decided = decisions.of_account(self._store, row["account_id"])
        states = self._read_model.work_states()
        return account_card(read(row["body"]), decided, self._read_model.about().landed_at, states)

    def _rows(self, person: Person, query: str, **parameters: Any) -> list[Row]:
        return self._published_db.rows(person, self._queries[query], **parameters)

    def _one(self, person: Person, query: str, **parameters: Any) -> Row | None:
        return next(iter(self._rows(person, query, **parameters)), None)


def _due(action: Mapping[str, Any]) -> str | None:
    """Until when it is to be done, as text."""
    if not action["due_at"]:
        return None
    if action["is_overdue"]:
        return f"overdue since {day(action['due_at'])}"
    return f"by {moment(action['due_at'])}"


def _queued(card: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """An account of the queue, in the words of its card."""
    health, queue = card["health"], card["queue"]
    return {
        "rank": queue["rank_for_owner" if person.role == "rep" else "rank_overall"],
        **{
            name: health[name]
            for name in (
                "account_id", "account_name", "owner_name", "arr_usd", "days_to_renewal", "score",
                "score_low", "score_high", "bucket", "decision", "coverage_pct",
            )
        },
        "reason": queue["reason"],
        "next_action": queue["next_action"],
        "inputs_to_fetch": queue["inputs_to_fetch"],
        "asks_sign_off": card["asks_sign_off"],
        "decided_since_the_run": _pending(card),
    }  # fmt: skip


def _pending(card: Mapping[str, Any]) -> list[str]:
    """What people decided that the data does not know yet: it counts from the next run."""
    return [f"{one.text} by {one.decided_by}" for one in card["pending"]]


def _why_not_decided(health: Mapping[str, Any]) -> list[str]:
    """Why a person decides; nothing of an account that is decided."""
    if health["decision"] == "decided":
        return []
    reasons = [
        health["unknown_effect"]
        or (f"not known: {health['unknown_signals']}" if health["unknown_signals"] else None),
        health["review_reason"] if health["decision"] == "conflict" else None,
    ]
    return [reason for reason in reasons if reason] or [str(health["decision"])]


def _unknown(line: Mapping[str, Any]) -> dict[str, Any]:
    """A rule that could not be evaluated: why, and what the score could come to."""
    return {
        "rule_id": line["rule_id"],
        "evidence": line["evidence"],
        "unknown_because": line["unknown_because"],
        "score_could_be_from": line["score_low"],
        "score_could_be_to": line["score_high"],
    }


def _feeds_of(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The feeds that the signals of these lines need."""
    return [feed for line in lines for feed in (line["feeds"] or "").split()]


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _newest(facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest facts of all kinds; what is about a person has an id and a role here, and no name."""
    ordered = sorted(facts, key=lambda fact: fact["happened_at"] or "", reverse=True)
    return [
        {name: _moment(value) if name.endswith("_at") else value for name, value in fact.items()}
        for fact in ordered[:FACTS]
    ]


def _moment(text: str | None) -> str | None:
    """`2026-06-30T14:05:00Z`, as DuckDB's JSON writes a time without its zone."""
    return None if text is None else f"{text[:19].replace(' ', 'T')}Z"
