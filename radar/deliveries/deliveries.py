"""Delivering what is due, once: through a destination's API, or into the outbox where there is no secret.

What is due is asked of the warehouse (`outbound.rpt_due_deliveries`), each attempt is written down before it
is made, and what is in doubt is looked up at the destination before it is sent again; where a destination
cannot be asked, it is not sent again. So each action has one task, one alert and one mail; `docs/crm.md`
explains what doubt can leave.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from radar.audit import delivery_ledger as ledgers
from radar.audit.delivery_ledger import (
    BLOCKED,
    DELIVERED,
    FAILED,
    IN_DOUBT,
    QUERIES,
    WRITTEN,
    Item,
    Ledger,
    Result,
    Row,
)
from radar.audit.sent_journal import note_sent
from radar.core.errors import RadarError
from radar.core.runs import utc_now
from radar.deliveries import messages as words
from radar.deliveries.channels.base import Client, Message, TroubleError
from radar.deliveries.channels.choose import NONE, OUTBOX, SLACK, client_for, destination
from radar.deliveries.channels.outbox import Outbox
from radar.deliveries.drafts import for_approval, missing_people
from radar.deliveries.rendering import MissingValueError, Templates, is_slack_id
from radar.deliveries.settings import Destinations
from radar.exports.profiles import IGNORE, Column, Profile, load_profiles

CHANNELS = ("slack", "tasks", "mail", "webhook", "accounts")
"""What is delivered apart: a channel that fails does not keep another back."""

TRIES = 3
"""How often a run tries a call; after that a later run goes on."""
MOST_REFUSALS, MOST_CALLS, MOST_MINUTES = 5, 500, 10.0
"""The brakes of a channel where `seeds/settings.csv` has no row for them."""
FIRST_PAUSE_SECONDS, MOST_WAIT_SECONDS = 1.0, 60.0
"""The pause before the second try, which doubles, and the most that a channel waits in one run."""
FIRST_RETRY, LAST_RETRY = timedelta(minutes=5), timedelta(hours=6)
"""When a later run may try again: after the first failure, doubling up to the last."""

_PROFILES = {"hubspot": "hubspot_companies", "salesforce": "salesforce_accounts"}
NO_VALUE = "none"
"""What files write in a field that an empty cell would leave as it was; an API empties the field instead."""
_PREVIEWED = 5
_UNDONE = (FAILED, IN_DOUBT, BLOCKED)
GONE = "gone"
"""The content of an account that is not scored any more, as in `delivery_ledger.sql`."""


@dataclass
class Report:
    """What a channel did. `untried` counts items not tried, because the destination did not answer."""

    channel: str
    carrier: str = NONE
    untried: int = 0
    stopped_by: str | None = None
    """What kept the whole channel from working, masked."""
    yielded: bool = False
    """Whether it stopped because another process waits for the warehouse."""
    preview: list[str] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict, repr=False)
    """What became of each item last, by delivery key; errors are masked."""

    @property
    def counts(self) -> dict[str, int]:
        """Items by what became of them."""
        return dict(Counter(result.status for result in self.results.values()))

    @property
    def error(self) -> str | None:
        """What went wrong and is not mended; the first, where there are several."""
        errors = [result.error for result in self.results.values() if result.status in _UNDONE]
        return self.stopped_by or next((error for error in errors if error), None)

    @property
    def is_ok(self) -> bool:
        """Whether everything that was due is done."""
        return self.stopped_by is None and not {FAILED, IN_DOUBT} & self.counts.keys()


@dataclass(frozen=True)
class Clock:
    """The time and the waiting, so that a test need not wait."""

    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Deliveries:
    """One run's deliveries. `exports` is the folder whose `outbox/` takes what has no destination."""

    con: duckdb.DuckDBPyConnection
    exports: Path
    run_id: str
    as_of: date
    settings: Destinations
    clock: Clock = Clock()
    is_wanted: Callable[[], bool] = lambda: False
    """Whether another process waits for the warehouse: then no further call is made."""

    def is_newest_day(self) -> bool:
        """Whether the as-of date is the newest scored date: of older days nothing goes out."""
        ((newest,),) = self.con.execute(QUERIES["newest_day"]).fetchall()
        return bool(newest == self.as_of)

    def next_attempt_at(self) -> datetime | None:
        """When the first of what failed may be tried again (UTC)."""
        self._ledger  # noqa: B018 makes the table
        ((at,),) = self.con.execute(QUERIES["next_attempt"]).fetchall()
        return at if isinstance(at, datetime) else None

    def deliver(self, channel: str) -> Report:
        """Deliver what is due on one channel.

        What goes wrong is in the report; only defects are raised.
        """
        report = Report(channel)
        try:
            report.carrier = destination(channel, self.settings)
            for client, items in self._clients(channel, report.carrier):
                sendable, blocked = self._without_in_doubt(client, items, report), dict[str, str]()
                messages = self._messages(channel, sendable, blocked)
                self._record_blocked(client, sendable, blocked, report)
                self._send(client, messages, report)
        except (RadarError, TroubleError) as error:
            report.stopped_by = self.settings.mask(str(error))
        return report

    # --- what is due -------------------------------------------------------------------------------------

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self.con, self.run_id, self.as_of)

    @cached_property
    def _due(self) -> list[Item]:
        self._ledger  # noqa: B018 makes the table
        due = ledgers.items(self.con, QUERIES["due"], {"now": self.clock.now()})
        return [replace(item, channel="mail") if self._is_by_mail(item) else item for item in due]

    def _is_by_mail(self, item: Item) -> bool:
        """Whether a note's mention reaches its owner by mail alone: no chat can call them by an id."""
        if item.kind != "mention" or not item.row["owner_email"]:
            return False
        is_called = destination("slack", self.settings) in SLACK and is_slack_id(item.row["slack_user_id"])
        return not is_called and destination("mail", self.settings) != OUTBOX

    def _clients(self, channel: str, name: str) -> Iterator[tuple[Client, list[Item]]]:
        """Who takes what. Drafts go to the outbox, also where approved mails are sent."""
        if channel == "accounts":
            if name != NONE:
                yield client_for(name, channel, self.settings), self._accounts(name)
            return
        due = [item for item in self._due if item.channel == channel]
        if name != "slack_bot" or not self.settings.has_buttons:
            due = [item for item in due if item.kind != "approval"]
        drafts = [item for item in due if item.kind == "draft"]
        others = [item for item in due if item.kind != "draft"]
        outbox = Outbox(self.exports / "outbox" / channel, self.run_id, self.as_of)
        if name == OUTBOX:
            if due:
                yield outbox, due
            return
        if drafts:
            yield outbox, drafts
        if others:
            yield client_for(name, channel, self.settings), others

    def _accounts(self, crm: str) -> list[Item]:
        """Accounts whose mapped columns the CRM does not have yet, by the CRM's export profile."""
        self._ledger  # noqa: B018 makes the table
        (profile,) = load_profiles([_PROFILES[crm]])
        query = QUERIES["accounts"].format(
            source=profile.source,
            key=profile.key,
            cells=_struct(profile.columns),
            compared=_struct([column for column in profile.columns if column.compared]),
        )
        found = ledgers.items(self.con, query, {"now": self.clock.now(), "carrier": crm})
        is_typed = crm == "salesforce"
        typed = []
        for item in found:
            if item.content_hash != GONE:
                cells = _cells(item.row["cells"], profile, is_typed=is_typed)
            elif profile.removed == IGNORE:
                continue
            else:
                cells = _cells_of_gone(item.account_id, profile, self.as_of, is_typed=is_typed)
            typed.append(replace(item, row={"cells": cells}))
        return typed

    def _messages(self, channel: str, items: list[Item], blocked: dict[str, str]) -> list[Message]:
        if not items:
            return []
        panel, templates = self.settings.panel_url, Templates(self.settings.templates)
        if channel == "accounts":
            return [Message(item.account_id, (item,), item.row["cells"]) for item in items]
        if channel == "slack":
            ((above,),) = self.con.execute(QUERIES["digest_above"]).fetchall()
            chat = destination(channel, self.settings)
            return words.slack(
                self._with_drafts(items, templates, blocked),
                templates,
                panel,
                int(above),
                is_slack=chat != "teams",
                has_buttons=chat == "slack_bot" and self.settings.has_buttons,
            )
        if channel == "tasks":
            return words.tasks(items, templates, panel)
        if channel == "webhook":
            return words.guides(items, panel)
        contexts, now = self._mail_contexts(items), self.clock.now()
        return list(
            words.mails(
                items,
                templates,
                contexts,
                sender=self.settings.smtp_from,
                unsubscribe=self.settings.mail_unsubscribe,
                panel_url=panel,
                owner_language=self.settings.owner_language,
                as_of=self.as_of,
                now=now,
                blocked=blocked,
            )
        )

    def _with_drafts(self, items: list[Item], templates: Templates, blocked: dict[str, str]) -> list[Item]:
        """Approvals with the draft that they are about; what cannot be written is left out, as drafts are."""
        accounts = sorted({item.account_id for item in items if item.kind == "approval"})
        facts = self._by_account("mail_facts", {"accounts": accounts}) if accounts else {}
        found = []
        for item in items:
            if item.kind != "approval":
                found.append(item)
                continue
            of = facts[item.account_id]
            reason = missing_people(of["owner_name"], has_contact=of["has_contact"])
            try:
                draft = None if reason else for_approval(of, item.row["play"], templates)
            except MissingValueError as error:
                draft, reason = None, error.problem
            if reason:
                blocked[item.delivery_key] = reason
            else:
                found.append(replace(item, row={**item.row, "draft": draft}))
        return found

    def _mail_contexts(self, items: list[Item]) -> dict[str, Row]:
        accounts = sorted({item.account_id for item in items})
        contacts = self._by_account("mail_contacts", {"accounts": accounts})
        nobody = {"contact_email": None, "contact_name": None}
        return {
            account_id: row | contacts.get(account_id, nobody)
            for account_id, row in self._by_account("mail_facts", {"accounts": accounts}).items()
        }

    def _by_account(self, query: str, values: Mapping[str, Any]) -> dict[str, Row]:
        self.con.execute(QUERIES[query], values)
        names = [column[0] for column in self.con.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in self.con.fetchall()}

    # --- sending -----------------------------------------------------------------------------------------

    def _without_in_doubt(self, client: Client, items: list[Item], report: Report) -> list[Item]:
        """The items that are to be sent.

        Those in doubt are looked up where they went, and left alone where that is impossible.
        """
        in_doubt: dict[str, list[Item]] = {}
        for item in items:
            if item.is_doubtful:
                in_doubt.setdefault(item.last_message_key or item.delivery_key, []).append(item)
        if not in_doubt:
            return items
        asked = {
            key: owned
            for key, owned in in_doubt.items()
            if client.looks_up and owned[0].last_destination == client.name
        }
        unknown = {
            key: owned
            for key, owned in in_doubt.items()
            if key not in asked and owned[0].last_status == ledgers.ATTEMPTING
        }
        problem = "the run ended while this was sent; it is not sent again"
        self._record(client, unknown, [Result(key, IN_DOUBT, error=problem) for key in unknown], report)
        left_alone = {
            item.delivery_key for key, owned in in_doubt.items() if key not in asked for item in owned
        }
        items = [item for item in items if item.delivery_key not in left_alone]
        if not asked:
            return items
        since = min(
            item.last_recorded_at for owned in asked.values() for item in owned if item.last_recorded_at
        )
        found = client.find(list(asked), since, _threads(asked))
        status = WRITTEN if client.name == OUTBOX else DELIVERED
        known = {key: owned for key, owned in in_doubt.items() if key in found}
        self._record(client, known, [Result(key, status, remote_id=found[key]) for key in known], report)
        done = {item.delivery_key for owned in known.values() for item in owned}
        return [item for item in items if item.delivery_key not in done]

    def _record_blocked(
        self, client: Client, items: Sequence[Item], blocked: Mapping[str, str], report: Report
    ) -> None:
        """Write down what is not sent for what it lacks: once, until it lacks something else."""
        for item in items:
            reason = blocked.get(item.delivery_key)
            if reason is None:
                continue
            result = Result(item.delivery_key, BLOCKED, error=reason)
            report.results[item.delivery_key] = result
            if (item.last_status, item.last_error) != (BLOCKED, reason):
                self._ledger.add(
                    client.name, [(item.delivery_key, [item])], {item.delivery_key: result}, self.clock.now()
                )

    def _send(self, client: Client, messages: Sequence[Message], report: Report) -> None:
        """Send them batch by batch, slowly enough, within the brakes of a channel.

        What failed before comes last, so that it never keeps back what nobody has tried.
        """
        if not messages:
            return
        messages = sorted(messages, key=lambda message: max(item.attempts for item in message.items) > 0)
        report.preview += [_preview(message) for message in messages[:_PREVIEWED]]
        brakes = self._brakes()
        waits = _Waits(self.clock, client.pause_seconds, self.is_wanted)
        for start in range(0, len(messages), client.batch):
            batch = messages[start : start + client.batch]
            if not self._send_batch(client, batch, waits, report, brakes) or brakes.reason:
                tried = report.results.keys()
                left = {item.delivery_key for message in messages for item in message.items} - tried
                report.untried += len(left)
                if brakes.reason and (left or brakes.is_refused):
                    report.stopped_by, report.yielded = brakes.reason, brakes.yielded
                return

    def _brakes(self) -> _Brakes:
        limits = dict(self.con.execute(QUERIES["limits"]).fetchall())
        return _Brakes(
            self.clock,
            self.is_wanted,
            refusals=int(limits.get("channel_refusals", MOST_REFUSALS)),
            calls=int(limits.get("channel_calls", MOST_CALLS)),
            minutes=float(limits.get("channel_minutes", MOST_MINUTES)),
        )

    def _send_batch(
        self, client: Client, batch: Sequence[Message], waits: _Waits, report: Report, brakes: _Brakes
    ) -> bool:
        """Send one batch, again where that may help; False where the next batch would fare no better."""
        pending, is_well = list(batch), True
        for attempt in range(1, TRIES + 1):
            if not brakes.may_call():
                return False
            waits.pace()
            sent = {
                message.key: [replace(item, attempts=item.attempts + attempt) for item in message.items]
                for message in pending
            }
            now = self.clock.now()
            self._ledger.add(client.name, sent.items(), {}, now)
            note_sent(
                self.exports, sent.items(), run_id=self.run_id, as_of=self.as_of, carrier=client.name, now=now
            )
            trouble = None
            try:
                results = client.send(pending)
            except TroubleError as error:
                trouble, results = error, [error.result(key) for key in sent]
            results += [
                Result(key, IN_DOUBT, error="the answer does not say what became of it")
                for key in sent.keys() - {result.message_key for result in results}
            ]
            is_last = attempt == TRIES or not waits.can_wait(attempt, trouble)
            results = self._record(client, sent, results, report)
            is_well = trouble is None or trouble.is_refusal
            if trouble and trouble.is_refusal and len(pending) > 1:  # one of them is why: find it
                half = len(pending) // 2
                first = self._send_batch(client, pending[:half], waits, report, brakes)
                return self._send_batch(client, pending[half:], waits, report, brakes) and first
            if is_well and not brakes.go_on_after(results):
                return False
            undone = {result.message_key: result for result in results if result.status in (FAILED, IN_DOUBT)}
            may_pass = trouble is None or trouble.may_pass
            if not undone or is_last or not may_pass:
                break
            found = self._found(client, undone, sent, report)
            pending = [
                message
                for message in pending
                if message.key in undone
                and message.key not in found
                and (client.looks_up or undone[message.key].status == FAILED)
            ]
            if not pending:
                is_well = is_well or client.looks_up
                break
            waits.wait(attempt, trouble)
        return is_well

    def _found(
        self, client: Client, undone: Mapping[str, Result], sent: Mapping[str, list[Item]], report: Report
    ) -> set[str]:
        """Of what is in doubt, what the destination has after all; all of it where it cannot be asked now."""
        in_doubt = [key for key, result in undone.items() if result.status == IN_DOUBT]
        if not in_doubt or not client.looks_up:
            return set()
        try:
            since = self.clock.now() - timedelta(minutes=10)
            found = client.find(in_doubt, since, _threads({key: sent[key] for key in in_doubt}))
        except TroubleError:
            return set(in_doubt)  # still in doubt: a later run asks again
        known = {key: sent[key] for key in found}
        self._record(client, known, [Result(key, DELIVERED, remote_id=found[key]) for key in found], report)
        return set(found)

    def _record(
        self, client: Client, sent: Mapping[str, list[Item]], results: Iterable[Result], report: Report
    ) -> list[Result]:
        """Write down what became of messages, errors masked and with the time of the next attempt."""
        now, recorded = self.clock.now(), []
        for result in results:
            error = self.settings.mask(result.error) if result.error else None
            again = None
            if result.status == FAILED or (result.status == IN_DOUBT and client.looks_up):
                attempts = max(item.attempts for item in sent[result.message_key])
                pause = min(FIRST_RETRY * 2 ** min((attempts - 1) // TRIES, 10), LAST_RETRY)
                again = now + max(pause, timedelta(seconds=min(result.retry_after or 0, 86_400)))
            recorded.append(replace(result, error=error, next_attempt_at=again))
        self._ledger.add(client.name, sent.items(), {result.message_key: result for result in recorded}, now)
        for result in recorded:
            report.results |= {item.delivery_key: result for item in sent[result.message_key]}
        return recorded


class _Brakes:
    """What stops a channel for the rest of a run.

    Refusals in a row, too many calls, too long a time, somebody who waits. `reason` is set once it has.
    """

    def __init__(
        self, clock: Clock, is_wanted: Callable[[], bool], *, refusals: int, calls: int, minutes: float
    ) -> None:
        self._is_wanted = is_wanted
        self._clock, self._refusals, self._calls, self._minutes = clock, refusals, calls, minutes
        self._called, self._refused, self._started = 0, 0, clock.now()
        self.reason: str | None = None
        self.is_refused = self.yielded = False

    def may_call(self) -> bool:
        """Count a call; False where it is one too many, or the channel has stopped."""
        if self.reason:
            return False
        minutes = (self._clock.now() - self._started) / timedelta(minutes=1)
        if self._called >= self._calls:
            self.reason = f"stopped after {self._called:,} calls (channel_calls in seeds/settings.csv)"
        elif minutes >= self._minutes:
            self.reason = f"stopped after {minutes:.0f} minutes (channel_minutes in seeds/settings.csv)"
        elif self._is_wanted():
            self.yielded = True
            self.reason = (
                "stopped, as another process waits to write the warehouse: the rest goes with the next run"
            )
        self._called += 1
        return self.reason is None

    def go_on_after(self, results: Sequence[Result]) -> bool:
        """Count refusals since something last passed; False where the destination refuses everything."""
        if any(result.status != FAILED for result in results):
            self._refused = 0
            return True
        self._refused += len(results)
        if self._refused >= self._refusals:
            error = next((result.error for result in results if result.error), "no reason given")
            self.is_refused = True
            self.reason = (
                f"stopped after {self._refused:,} refusals in a row (channel_refusals in "
                f"seeds/settings.csv), the last: {error}"
            )
        return self.reason is None


class _Waits:
    """The pauses of one channel, of which there is only so much in one run."""

    def __init__(self, clock: Clock, pause_seconds: float, is_wanted: Callable[[], bool]) -> None:
        self._clock, self._pause, self._is_wanted = clock, pause_seconds, is_wanted
        self._waited, self._last_call = 0.0, float("-inf")

    def pace(self) -> None:
        """Keep to the destination's rate."""
        rest = self._last_call + self._pause - self._clock.monotonic()
        if rest > 0:
            self._clock.sleep(rest)
        self._last_call = self._clock.monotonic()

    def can_wait(self, attempt: int, trouble: TroubleError | None) -> bool:
        """Whether the pause after this attempt fits into what is left."""
        return self._waited + _pause(attempt, trouble) <= MOST_WAIT_SECONDS and not self._is_wanted()

    def wait(self, attempt: int, trouble: TroubleError | None) -> None:
        """Make that pause."""
        pause = _pause(attempt, trouble)
        self._waited += pause
        self._clock.sleep(pause)


def _pause(attempt: int, trouble: TroubleError | None) -> float:
    asked = trouble.retry_after if trouble and trouble.retry_after else 0.0
    return max(asked, FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))


def _threads(sent: Mapping[str, Sequence[Item]]) -> set[str]:
    """Under which messages in Slack these may be; what is more than one item is a digest, and under none."""
    found = {items[0].row.get("slack_thread") for items in sent.values() if len(items) == 1}
    return {thread for thread in found if thread}


def _preview(message: Message) -> str:
    payload = message.payload
    return str(payload.get("subject") or payload.get("text") or payload.get("play") or message.key)


def _struct(columns: Iterable[Column]) -> str:
    """The SQL of a struct of these columns of a mart."""
    return "{" + ", ".join(f"'{column.source}': \"{column.source}\"" for column in columns) + "}"


def _cells(text: str, profile: Profile, *, is_typed: bool) -> dict[str, Any]:
    """The mapped columns as a CRM's properties: text, or `is_typed` JSON's own numbers and booleans."""
    values = json.loads(text)
    form = _value if is_typed else _text
    return {column.header: form(values[column.source], column, profile) for column in profile.columns}


def _text(value: object, column: Column, profile: Profile) -> str:
    if value is None:
        is_empty = column.when_null is None or column.when_null == NO_VALUE
        return profile.dialect.null_token if is_empty else str(column.when_null)
    if isinstance(value, bool):
        return profile.dialect.true_token if value else profile.dialect.false_token
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _cells_of_gone(account_id: str, profile: Profile, as_of: date, *, is_typed: bool) -> dict[str, Any]:
    """What the CRM hears of an account that is not scored any more: as in files, nothing of it is left."""
    removed = profile.removed if isinstance(profile.removed, dict) else {}
    cells: dict[str, Any] = {}
    for column in profile.columns:
        if column.header in removed:
            token = removed[column.header]
            token = profile.dialect.null_token if token == NO_VALUE else token
            cells[column.header] = _typed(token, profile) if is_typed else token
        elif column.source in (profile.key, "as_of_date"):
            cells[column.header] = account_id if column.source == profile.key else as_of.isoformat()
        elif not column.identifies:
            cells[column.header] = (_value if is_typed else _text)(None, column, profile)
    return cells


def _value(value: object, column: Column, profile: Profile) -> object:
    if value is not None or column.when_null is None:
        return value
    return _typed(column.when_null, profile)


def _typed(token: str, profile: Profile) -> object:
    """A token of files as the value that it means."""
    dialect = profile.dialect
    tokens = {dialect.true_token: True, dialect.false_token: False, dialect.null_token: None}
    return tokens.get(token, token)
