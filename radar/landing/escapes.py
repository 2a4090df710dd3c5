"""Quotes in quoted cells that a backslash escapes, as MySQL and Hive write them: doubled, as CSV has them.

The file as a whole decides. It is written so where it is no sound CSV with doubled quotes alone, and is one
once a backslash takes the quote behind it out: every quoted cell then ends where a cell may end. A file of
which neither is true stays as it is, and so does `"C:\\dir\\"`, in which the backslash is the last letter.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from radar.core.warehouse import readable_os_errors
from radar.landing import contents

_DOUBLED = rb'[^"]++|""'
_ESCAPED = rb'[^"\\]++|\\.|""'
_IN_CELL = re.compile(rb'\\(["\\])')


def doubled(path: Path, folder: Path, delimiter: str, begin: int) -> Path:
    """The file, or a copy of it in `folder` with doubled quotes; `begin` is the byte of its header."""
    if not _has_escape(path):
        return path
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if _is_sound(text, begin, delimiter, _DOUBLED) or not _is_sound(text, begin, delimiter, _ESCAPED):
            return path
        target = folder / f"doubled{path.suffix}"
        with readable_os_errors(target), open(target, "wb") as out:
            out.write(text[:begin])
            for cell in re.compile(_cell(delimiter, _ESCAPED), re.DOTALL).finditer(text, begin):
                quoted = cell["quoted"]
                out.write(_IN_CELL.sub(_plain, quoted) if quoted else cell["bare"] or b"")
                out.write(cell["end"])
    return target


def _plain(escape: re.Match[bytes]) -> bytes:
    return b'""' if escape[1] == b'"' else b"\\"


def _has_escape(path: Path) -> bool:
    last = b""
    with open(path, "rb") as stream:
        while chunk := stream.read(contents.CHUNK):
            if b'\\"' in last + chunk:
                return True
            last = chunk[-1:]
    return False


def _is_sound(text: mmap.mmap, begin: int, delimiter: str, inside: bytes) -> bool:
    """Whether every quoted cell ends where a cell may end. Possessive: nothing is kept to go back to."""
    cells = re.compile(rb"(?:" + _cell(delimiter, inside, named=False) + rb")*+", re.DOTALL)
    found = cells.match(text, begin)
    return found is not None and found.end() == len(text)


def _cell(delimiter: str, inside: bytes, *, named: bool = True) -> bytes:
    """A cell, quoted or not, and what ends it."""
    names = (rb"?P<quoted>", rb"?P<bare>", rb"?P<end>") if named else (rb"?:",) * 3
    quoted, bare, end = names
    stop = re.escape(delimiter.encode()) + rb"\r\n"
    return (
        rb"(?:(" + quoted + rb'"(?:' + inside + rb')*+")'
        rb"|(" + bare + rb'[^"' + stop + rb"][^" + stop + rb"]*+)|)"
        rb"(" + end + re.escape(delimiter.encode()) + rb"|\r\n|\n|\r|\Z)"
    )
