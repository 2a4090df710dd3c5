"""The files of one object and how far its pulls have come: whole, in place, and then the cursor; or nothing.

What is fetched waits in `<extracts>/.pulls/`, which landing does not look into, until it is whole. Then what
is to be done is written down (`commit.json`), the files are renamed into the object's folder, its marker
`.pulled.json` is replaced, and last the cursor. The next pull completes one that was killed in between.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from radar.core.errors import RadarError
from radar.core.state_files import move_into_place, read_json, replace_file, sync_folder
from radar.core.warehouse import readable_os_errors
from radar.landing.files import PULLED_FILE

FOLDER = ".pulls"
"""In the extracts folder: names that begin with a dot are not read as extracts."""
MARKER = ".pulled.json"
_COMMIT, _STATE = "commit.json", "state.json"


@dataclass(frozen=True)
class State:
    """How far the pulls of an object have come. `cursors`: by value of `each`.

    `known`: hashes of records that the next pull may meet again. `number`: of pulls that brought a file.
    """

    cursors: dict[str, str] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    number: int = 0
    pulled_at: str = ""


@dataclass(frozen=True)
class Staged:
    """A file that is whole and not in place yet."""

    path: Path
    name: str
    records: int | None


class PullFolder:
    """What one object has below the extracts folder."""

    def __init__(self, extracts: Path, title: str, folder: str) -> None:
        self._staging = extracts / FOLDER / title
        self._target = extracts / folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the object's lock, with an unfinished commit completed. Raises RadarError where it is held."""
        with readable_os_errors(self._staging):
            self._staging.mkdir(parents=True, exist_ok=True, mode=0o750)
            lock = FileLock(self._staging / "lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise RadarError(
                    "another process is pulling it", "wait until it has ended", file=self._staging
                ) from None
        try:
            self._complete()
            yield
        finally:
            lock.release()

    def state(self) -> State:
        """How far it has come; nothing where there is no state, or none that can be read."""
        return read_json(self._staging / _STATE, _state) or State()

    def file_name(self, started: datetime, number: int) -> str:
        """The name of a pull's file.

        The time in it is from when on states are true that have no time of their own; the first file has
        none, so that days before it can be scored too.
        """
        first = f"{PULLED_FILE}{number:06}.jsonl"
        if number == 1 and not (self._target / first).exists():
            return first
        return f"{PULLED_FILE}{started:%Y-%m-%dT%H%M%SZ}-{number:06}.jsonl"

    @contextmanager
    def staged(self, name: str) -> Iterator[tuple[Path, BinaryIO]]:
        """A file to write into, on the disk when this ends; gone where it ends with an error."""
        path = self._staging / f"{name}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with readable_os_errors(path), open(os.open(path, flags, 0o640), "wb") as opened:
            try:
                yield path, opened
            except BaseException:
                path.unlink(missing_ok=True)
                raise
            opened.flush()
            os.fsync(opened.fileno())

    def commit(self, staged: list[Staged], state: State) -> list[Path]:
        """Put the files in place and take the state over; what was left out of `staged` is gone."""
        replace_file(
            self._staging / _COMMIT,
            json.dumps(
                {
                    "files": [
                        {"staged": one.path.name, "name": one.name, "records": one.records} for one in staged
                    ],
                    "state": {**asdict(state), "known": sorted(state.known)},
                }
            ),
            mode=0o640,
        )
        self._complete()
        return [self._target / one.name for one in staged]

    def _complete(self) -> None:
        plan = read_json(self._staging / _COMMIT, lambda value: (value["files"], _state(value["state"])))
        if plan:
            files, state = plan
            with readable_os_errors(self._target):
                self._target.mkdir(parents=True, exist_ok=True)
                for one in files:
                    path = self._staging / one["staged"]
                    if path.exists():
                        move_into_place(path, self._target / one["name"])
            marker = {
                "pulled_at": state.pulled_at,
                "files": {one["name"]: one["records"] for one in files},
            }
            replace_file(self._target / MARKER, json.dumps(marker), mode=0o640)
            replace_file(
                self._staging / _STATE,
                json.dumps({**asdict(state), "known": sorted(state.known)}),
                mode=0o640,
            )
        with readable_os_errors(self._staging):
            (self._staging / _COMMIT).unlink(missing_ok=True)
            for left in self._staging.glob("*.part"):
                left.unlink()
            sync_folder(self._staging)


def _state(value: Mapping[str, Any]) -> State:
    return State(
        cursors={str(name): str(cursor) for name, cursor in value["cursors"].items()},
        known=frozenset(str(one) for one in value["known"]),
        number=int(value["number"]),
        pulled_at=str(value["pulled_at"]),
    )
