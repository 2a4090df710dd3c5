"""Product events: chunks of accounts, month by month, every value hashed from its account and day.

Holds one chunk's month in memory (some 100,000 events) and what is carried over into the next month's file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from radar.demo.draws import Integers, Reals, poisson, uniform
from radar.demo.files import ParquetFile, Part
from radar.demo.stories import Account, Calendar, Curve

CHUNK_ACCOUNTS = 500

SCHEMA = pa.schema(
    [
        ("event_id", pa.string()),
        ("account_id", pa.string()),
        ("user_id", pa.string()),
        ("event_name", pa.string()),
        ("occurred_at", pa.timestamp("us", tz="UTC")),
        ("properties", pa.string()),
    ]
)
LOGINS = ("login", "sso_login")
KEY_FEATURES = ("report_created", "dashboard_shared", "integration_synced", "workflow_run")
ADVANCED = ("project_created", "template_applied", "api_call")
PREMIUM = ("forecast_run", "audit_exported")
PLAIN = ("page_view", "search", "comment_added", "file_uploaded", "user_invited", "settings_changed")
UNKNOWN = ("beta_canvas_opened",)
EVENT_NAMES = LOGINS + KEY_FEATURES + ADVANCED + PREMIUM + PLAIN + UNKNOWN
_AT = {name: code for code, name in enumerate(EVENT_NAMES)}
PROPERTIES = (
    '{"client":"web"}',
    '{"client":"mobile","offline":true}',
    '{"client":"desktop","locale":"fr-CA"}',
    None,
)

_KEY_SHARE, _ADVANCED_SHARE, _UNKNOWN_SHARE = 0.35, 0.12, 0.0007
_LATE_SHARE, _LATE_AT_MONTH_END_SHARE, _TWICE_SHARE = 0.0002, 0.006, 0.0004
_NO_USER = -1
# Streams of chance, one a question.
_SESSIONS, _PREMIUM_COUNT, _LENGTH, _START, _PACE, _USER = range(101, 107)
_KIND, _NAME, _CLIENT, _LATE, _TWICE = range(107, 112)


@dataclass(slots=True)
class Batch:
    """Events as columns of numbers: account number, day, second, number within account and day, and codes."""

    account: Integers
    day: Integers
    second: Integers
    serial: Integers
    user: Integers
    name: Integers
    client: Integers

    def where(self, mask: npt.NDArray[np.bool_]) -> Batch:
        """The events that the mask picks."""
        return Batch(*(getattr(self, column.name)[mask] for column in fields(self)))


def join(batches: list[Batch]) -> Batch:
    """The events of several batches, one after the other."""
    return Batch(*(np.concatenate([getattr(b, column.name) for b in batches]) for column in fields(Batch)))


def no_events() -> Batch:
    """A batch without events."""
    return Batch(*(np.zeros(0, dtype=np.int64) for _ in fields(Batch)))


class Usage:
    """Writes the events of chunk after chunk into the months' files."""

    def __init__(self, seed: int, calendar: Calendar, parts: list[Part], files: list[ParquetFile]) -> None:
        """One file a part, in the same order."""
        self._seed, self._calendar = seed, calendar
        self._months = list(zip(parts, files, strict=True))
        self._dates = np.array([_yymmdd(calendar, day) for day in range(calendar.days)], dtype=np.int64)
        self._is_holiday = np.array([_is_holiday(calendar, day) for day in range(calendar.days)])
        self._midnight = np.datetime64(calendar.first.isoformat(), "s").astype(np.int64)

    def write(self, accounts: list[Account], *, with_strangers: bool = False) -> None:
        """Append the events of these accounts; `with_strangers` adds three of accounts that nobody knows."""
        chunk = _Chunk(accounts, self._calendar)
        carried = no_events()
        for index, (part, file) in enumerate(self._months):
            is_last = index + 1 == len(self._months)
            events = self._month(chunk, part)
            late, twice = self._dirt(events, part)
            if is_last:
                late[:] = False
            extra = [carried, events.where(twice)] if is_last else [carried]
            if is_last and with_strangers:
                extra.append(_strangers(self._calendar))
            carried = join([events.where(late), events.where(twice)])
            file.write(self._table(join([events.where(~late), *extra])))

    def _dirt(self, events: Batch, part: Part) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which events arrive with the next month's file, and which arrive there once more."""
        keys = (events.account, events.day, events.serial)
        chance = uniform(self._seed, _LATE, *keys)
        share = np.where(events.day > part.last_day - 3, _LATE_AT_MONTH_END_SHARE, _LATE_SHARE)
        return chance < share, uniform(self._seed, _TWICE, *keys) < _TWICE_SHARE

    def _month(self, chunk: _Chunk, part: Part) -> Batch:
        """The month's events, by account, day and time."""
        days = np.arange(part.first_day, part.last_day + 1)
        on = slice(part.first_day, part.last_day + 1)
        rhythm = chunk.rhythm[:, on] * np.where(self._is_holiday[on], 0.35, 1.0)
        numbers = chunk.number[:, None]
        mean = chunk.sessions_a_day[:, None] * chunk.activity[:, on] * rhythm
        sessions = poisson(mean, uniform(self._seed, _SESSIONS, numbers, days[None, :]))
        steady = chunk.premium_a_day[:, None] * chunk.premium[:, on] * (chunk.rhythm[:, on] == 1.0)
        chance = uniform(self._seed, _PREMIUM_COUNT, numbers, days[None, :])
        premium = np.floor(steady + chance).astype(np.int64)
        premium[(steady == 0) | (mean == 0)] = 0
        events = join([self._in_sessions(chunk, sessions, days), self._premium(chunk, premium, days)])
        order = np.lexsort((events.serial, events.second, events.day, events.account))
        events = Batch(*(getattr(events, column.name)[order] for column in fields(events)))
        events.serial = _number_within(events.account * 10000 + events.day)
        return events

    def _in_sessions(self, chunk: _Chunk, sessions: Integers, days: Integers) -> Batch:
        """Logins and what follows on them: one to three events, a few minutes apart."""
        rows, columns, visit = _expand(sessions)
        number, day = chunk.number[rows], days[columns]
        length = 2 + (uniform(self._seed, _LENGTH, number, day, visit) * 3).astype(np.int64)
        of = np.repeat(np.arange(len(length)), length)
        step = _number_within(of) - 1
        rows, number, day, visit = rows[of], number[of], day[of], visit[of]
        keys = (number, day, visit)
        began = self._working_hours(chunk, rows, *keys)
        second = began + step * (40 + (uniform(self._seed, _PACE, *keys) * 400).astype(np.int64))
        return Batch(
            account=number,
            day=day,
            second=np.minimum(second, 86399),
            serial=visit * 10 + step,
            user=self._user(chunk, rows, *keys),
            name=self._names(chunk, rows, day, step, (*keys, step)),
            client=(uniform(self._seed, _CLIENT, *keys) * 4).astype(np.int64),
        )

    def _premium(self, chunk: _Chunk, counts: Integers, days: Integers) -> Batch:
        rows, columns, visit = _expand(counts)
        number, day, visit = chunk.number[rows], days[columns], visit + 5000
        keys = (number, day, visit)
        names = np.array([_AT[name] for name in PREMIUM])
        return Batch(
            account=number,
            day=day,
            second=self._working_hours(chunk, rows, *keys),
            serial=visit * 10,
            user=self._user(chunk, rows, *keys),
            name=names[(uniform(self._seed, _NAME, *keys) * len(PREMIUM)).astype(np.int64)],
            client=np.zeros(len(rows), dtype=np.int64),
        )

    def _working_hours(self, chunk: _Chunk, rows: Integers, *keys: Integers) -> Integers:
        """Between 8 and 18 h at the customer's place, as seconds of the UTC day."""
        local = 28800 + (uniform(self._seed, _START, *keys) * 36000).astype(np.int64)
        return (local - chunk.utc_offset_seconds[rows]) % 86400

    def _user(self, chunk: _Chunk, rows: Integers, *keys: Integers) -> Integers:
        """Few users do most of the work; one visit in two hundred is a machine's, without a user."""
        number, day = keys[0], keys[1]
        active = chunk.users[rows] * np.clip(0.3 + 0.7 * chunk.activity[rows, day], 0.3, 1.4)
        chance = uniform(self._seed, _USER, *keys)
        user = 1 + (chance * chance * active).astype(np.int64)
        is_machine = (chance * 1000).astype(np.int64) % 200 == 7 + number % 5
        return np.where(is_machine, _NO_USER, np.minimum(user, 99))

    def _names(
        self, chunk: _Chunk, rows: Integers, day: Integers, step: Integers, keys: tuple[Integers, ...]
    ) -> Integers:
        kind, choice = uniform(self._seed, _KIND, *keys), uniform(self._seed, _NAME, *keys)
        plain = _AT[PLAIN[0]] + (choice * choice * len(PLAIN)).astype(np.int64)
        advanced = _AT[ADVANCED[0]] + (choice * len(ADVANCED)).astype(np.int64)
        used = chunk.key_features[rows]
        key = _AT[KEY_FEATURES[0]] + (chunk.first_key_feature[rows] + (choice * used).astype(np.int64)) % len(
            KEY_FEATURES
        )
        key_below = _KEY_SHARE * chunk.key_use[rows, day]
        advanced_below = key_below + _ADVANCED_SHARE * chunk.is_advanced[rows]
        name = np.where(kind < key_below, key, np.where(kind < advanced_below, advanced, plain))
        name = np.where(kind > 1 - _UNKNOWN_SHARE, _AT[UNKNOWN[0]], name)
        return np.where(step == 0, _AT["login"] + chunk.has_sso[rows], name)

    def _table(self, events: Batch) -> pa.Table:
        date = self._dates[np.clip(events.day, 0, self._calendar.last)]
        event_ids = _coded("e", ((events.account, 6), "-", (date, 6), "-", (events.serial, 4)))
        users = _coded("u-", ((events.account, 6), "-", (np.maximum(events.user, 0), 2)))
        seconds = self._midnight + events.day * 86400 + events.second
        return pa.table(
            [
                event_ids,
                _coded("acc-", ((events.account, 6),)),
                pc.if_else(pa.array(events.user != _NO_USER), users, pa.scalar(None, pa.string())),
                pa.array(EVENT_NAMES).take(pa.array(events.name)),
                pa.array(seconds * 1_000_000).cast(pa.timestamp("us", tz="UTC")),
                pa.array(PROPERTIES).take(pa.array(events.client)),
            ],
            schema=SCHEMA,
        )


class _Chunk:
    """The accounts of a chunk as arrays; the curves have one value an account and day."""

    def __init__(self, accounts: list[Account], calendar: Calendar) -> None:
        day = np.arange(calendar.days)
        self.number = np.array([account.number for account in accounts], dtype=np.int64)
        self.sessions_a_day = np.array([account.sessions_a_day for account in accounts])
        self.premium_a_day = np.array([account.premium_a_day for account in accounts], dtype=np.float64)
        self.users = np.array([account.users for account in accounts], dtype=np.float64)
        minutes = [account.region.utc_offset_minutes for account in accounts]
        self.utc_offset_seconds = np.array(minutes, dtype=np.int64) * 60
        self.key_features = 1 + self.number % 4
        self.first_key_feature = self.number // 4 % 4
        self.is_advanced = (self.number % 5 < 3).astype(np.float64)
        self.has_sso = np.array([a.segment == "enterprise" for a in accounts]).astype(np.int64)
        self.key_use = _values([account.key_use for account in accounts], day)
        self.premium = _values([account.premium for account in accounts], day)
        self.activity = _values([account.activity for account in accounts], day)
        weekday = (day + calendar.first.weekday()) % 7
        self.rhythm = np.ones(self.activity.shape)
        for row, account in enumerate(accounts):
            self.activity[row, : max(account.created, 0)] = 0
            if account.canceled is not None:
                self.activity[row, account.canceled :] = 0
            self.rhythm[row, np.isin(weekday, account.region.weekend)] = account.weekend_share


def _values(curves: list[Curve], day: Integers) -> Reals:
    values = np.empty((len(curves), len(day)))
    for row, curve in enumerate(curves):
        values[row] = np.interp(day, [point for point, _ in curve], [value for _, value in curve])
    return values


def _expand(counts: Integers) -> tuple[Integers, Integers, Integers]:
    """Row, column and running number (from 0) of every unit of a table of counts."""
    rows, columns = np.nonzero(counts)
    times = counts[rows, columns]
    of = np.repeat(np.arange(len(rows)), times)
    return rows[of], columns[of], _number_within(of) - 1


def _number_within(group: Integers) -> Integers:
    """The running number, from 1, within each run of equal values."""
    if len(group) == 0:
        return np.zeros(0, dtype=np.int64)
    index = np.arange(len(group))
    starts = np.flatnonzero(np.concatenate(([True], group[1:] != group[:-1])))
    return index - np.repeat(starts, np.diff(np.append(starts, len(group)))) + 1


def _coded(prefix: str, pieces: tuple[str | tuple[Integers, int], ...]) -> pa.Array:
    """Texts of one width: a prefix, then pieces: a text, or a column of numbers with so many digits."""
    rows = next(len(piece[0]) for piece in pieces if not isinstance(piece, str))
    width = len(prefix) + sum(len(piece) if isinstance(piece, str) else piece[1] for piece in pieces)
    letters = np.empty((rows, width), dtype=np.uint8)
    column = 0
    for piece in (prefix, *pieces):
        if isinstance(piece, str):
            letters[:, column : column + len(piece)] = np.frombuffer(piece.encode("ascii"), dtype=np.uint8)
            column += len(piece)
            continue
        numbers, digits = piece
        for digit in range(digits):
            letters[:, column + digit] = 48 + numbers // 10 ** (digits - 1 - digit) % 10
        column += digits
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(letters)])


def _strangers(calendar: Calendar) -> Batch:
    """Three logins of accounts that the CRM has never sent."""
    three = np.arange(3, dtype=np.int64)
    same = np.ones(3, dtype=np.int64)
    login = same * _AT["login"]
    return Batch(999001 + three, same * calendar.last, 36000 + three, same, same, login, 0 * same)


def _yymmdd(calendar: Calendar, day: int) -> int:
    return int(calendar.date(day).strftime("%y%m%d"))


def _is_holiday(calendar: Calendar, day: int) -> bool:
    on = calendar.date(day)
    return (on.month, on.day) >= (12, 24) or (on.month, on.day) == (1, 1)


def chunks(accounts: Iterator[Account]) -> Iterator[list[Account]]:
    """The accounts in groups of CHUNK_ACCOUNTS."""
    chunk: list[Account] = []
    for account in accounts:
        chunk.append(account)
        if len(chunk) == CHUNK_ACCOUNTS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
