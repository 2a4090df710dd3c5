"""Files of the panel's own that are replaced whole, so that a crash leaves the old one or the new one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def replace(file: Path, content: bytes, mode: int = 0o666) -> None:
    """Write it beside, and put it in the file's place once it is on the disk."""
    temporary = file.with_name(f"{file.name}.tmp")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode), "wb") as out:
        out.write(content)
    put(temporary, file)


def put(temporary: Path, file: Path) -> None:
    """Put a finished file of the same folder in the place of another: on the disk when this returns."""
    _sync(temporary)
    temporary.replace(file)
    _sync(file.parent)


def remove(path: Path) -> None:
    """Take away what lies there, whatever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
