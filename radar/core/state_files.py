"""Small files that outlive a run: replaced whole or not at all, and never trusted to be so.

Belongs here: how such a file is written and read. Does not belong here: what any one of them means.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from radar.core import progress
from radar.core.errors import RadarError
from radar.core.warehouse import readable_os_errors

T = TypeVar("T")


def replace_file(path: Path, content: bytes | str, *, mode: int = 0o644) -> None:
    """Replace the file in one step, on the disk when this returns: write, fsync, rename, fsync the folder."""
    data = content.encode() if isinstance(content, str) else content
    with readable_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
        try:
            with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as opened:
                opened.write(data)
            move_into_place(new, path)
        finally:
            new.unlink(missing_ok=True)


def move_into_place(new: Path, path: Path) -> None:
    """Replace a file by a finished one of the same folder, on the disk when this returns."""
    _sync(new)
    new.replace(path)
    sync_folder(path.parent)


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add whole lines, on the disk when this returns; a line that a killed process left half is ended."""
    with readable_os_errors(path):
        is_new = not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            sync_folder(path.parent)


def read_json(path: Path, read: Callable[[Any], T]) -> T | None:
    """What the file says, as `read` takes it out of the JSON; None where there is no file.

    What is empty, half or foreign is absent too: it is put aside as `<name>.broken` and reported, once.
    `read` may raise KeyError, TypeError, ValueError, AttributeError or IndexError.
    """
    try:
        with readable_os_errors(path):
            content = path.read_bytes()
    except RadarError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise
    try:
        return read(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        aside = path.with_name(f"{path.name}.broken")
        with readable_os_errors(path):
            path.replace(aside)
        notice = f"{path} is empty, half or not Radar's: it counts as absent, and is kept as {aside.name}"
        progress.note(notice)
        logging.getLogger("radar").warning(notice)
        return None


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
