"""The outbox: what a channel without a secret would have sent, as files for a person or another program.

<exports>/outbox/<channel>/<as-of date>_<run id>/
  messages.ndjson     one message a line, with its key
  <file> ...          what is more than a line, such as a mail as .eml
  manifest.json       written last: the content of the folder
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from radar.audit.delivery_ledger import WRITTEN, Result
from radar.core.spreadsheets import harmless_start
from radar.core.warehouse import readable_os_errors
from radar.deliveries.channels.base import Message

LINES, MANIFEST = "messages.ndjson", "manifest.json"
MOST_FILES = 500
"""More files than this nobody opens one by one; what is beyond is only a line."""
_ALL = 1_000_000_000


class Outbox:
    """Writes all messages of a run as one set of files, complete or not there at all."""

    name, looks_up, batch, pause_seconds = "outbox", True, _ALL, 0.0

    def __init__(self, folder: Path, run_id: str, as_of: date) -> None:
        """`folder` is that of the channel."""
        self.folder, self._run_id, self._as_of = folder, run_id, as_of

    def send(self, messages: Sequence[Message]) -> list[Result]:
        """Write the set. Raises RadarError where the folder cannot be written."""
        with readable_os_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            target = self._free_folder()
            making = self.folder / f".new-{secrets.token_hex(4)}"
            making.mkdir()
            try:
                self._write(making, messages)
                making.rename(target)
                _sync(self.folder)
            finally:
                shutil.rmtree(making, ignore_errors=True)
        return [Result(message.key, WRITTEN, remote_id=target.name) for message in messages]

    def find(self, keys: Sequence[str], since: datetime, threads: Collection[str] = ()) -> dict[str, str]:
        """Keys that are in a set; a run that died may have written it without recording it."""
        wanted, found = set(keys), dict[str, str]()
        for manifest in self.folder.glob(f"*/{MANIFEST}"):
            try:
                text = (manifest.parent / LINES).read_text(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                continue
            for line in text.splitlines():
                key = _key(line)
                if key in wanted:
                    found[key] = manifest.parent.name
        return found

    def _free_folder(self) -> Path:
        name = f"{self._as_of.isoformat()}_{self._run_id}"
        number, target = 1, self.folder / name
        while target.exists():
            number += 1
            target = self.folder / f"{name}_{number}"
        return target

    def _write(self, folder: Path, messages: Sequence[Message]) -> None:
        lines: list[str] = []
        files: list[dict[str, object]] = []
        for message in messages:
            line = {"key": message.key, **_harmless(message.payload)}
            if message.file:
                name, content = message.file
                files.append(_write_file(folder / name, content, rows=1))
                line["file"] = name
            lines.append(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        files.insert(0, _write_file(folder / LINES, "".join(lines).encode(), rows=len(lines)))
        manifest = {
            "run_id": self._run_id,
            "as_of_date": self._as_of.isoformat(),
            "channel": self.folder.name,
            "files": files,
        }
        whole = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
        _write_file(folder / MANIFEST, whole.encode(), rows=0)
        _sync(folder)


def _harmless(content: Any, name: str = "") -> Any:
    """The same with a `'` before texts that a spreadsheet would run; ids stay as they are."""
    if isinstance(content, Mapping):
        return {key: _harmless(value, key) for key, value in content.items()}
    if isinstance(content, list):
        return [_harmless(value, name) for value in content]
    return harmless_start(content) if isinstance(content, str) and not name.endswith("_id") else content


def _key(line: str) -> str | None:
    """The key of a line; None where it is half or not Radar's."""
    try:
        return str(json.loads(line)["key"])
    except (ValueError, KeyError, TypeError):
        return None


def _write_file(path: Path, content: bytes, *, rows: int) -> dict[str, object]:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        if path.suffix != ".eml":  # the set is renamed into place after its lists are safe
            os.fsync(file.fileno())
    return {
        "name": path.name,
        "rows": rows,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "columns": [],
    }


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
