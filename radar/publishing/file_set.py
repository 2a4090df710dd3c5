"""The files that readers open: sets of which one is current, and how one replaces the other.

The folder that readers are given looks like this:

    published/
      current        -> .sets/<set>             the one link that moves, in one rename
      radar.duckdb   -> current/radar.duckdb
      parquet        -> current/parquet         <table>.parquet
      manifest.json  -> current/manifest.json   which run, which files
      .sets/<set>/                              the set in use and the one before

So the three always belong together, and a reader that has the old set open keeps it.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from radar.core.errors import CheckError, RadarError
from radar.core.warehouse import explain_duckdb_error, require_free_space
from radar.publishing.catalogue import quoted
from radar.publishing.contents import Contents

COPY_NAME = "radar.duckdb"
_SPARE_BYTES = 64_000_000


@contextmanager
def new_set(published: Path) -> Iterator[Path]:
    """An empty folder for the next set; removed again unless it has become the current one."""
    sets = published / ".sets"
    sets.mkdir(parents=True, exist_ok=True)
    current = _current_set(published)
    number = 1 + int(current.name.split("-")[0]) if current else 1
    folder = sets / f"{number:06d}-{secrets.token_hex(4)}"
    folder.mkdir()
    try:
        yield folder
    finally:
        if _current_set(published) != folder:
            shutil.rmtree(folder, ignore_errors=True)


def _current_set(published: Path) -> Path | None:
    link = published / "current"
    if not link.is_symlink():
        return None
    name = Path(os.readlink(link)).name
    return published / ".sets" / name if re.fullmatch(r"\d{6,}-[0-9a-f]{8}", name) else None


def switch(published: Path, folder: Path) -> None:
    """Make `folder` the set that readers see, in one rename; keep the set before it, drop older ones."""
    before = _current_set(published)
    sync(folder.parent)
    _link(published / "current", Path(".sets") / folder.name)
    for name in (COPY_NAME, "parquet", "manifest.json"):
        if not (published / name).is_symlink():
            _link(published / name, Path("current") / name)
    sync(published)
    for old in folder.parent.iterdir():
        if old not in (folder, before):
            shutil.rmtree(old, ignore_errors=True)


def _link(link: Path, target: Path) -> None:
    if link.is_dir() and not link.is_symlink():
        raise RadarError(
            "there is a folder where the published copy needs its link",
            "move it away, or publish into another folder (--published)",
            file=link,
        )
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(target)
    temporary.replace(link)


def copy_command(source: Path, target: Path) -> list[str]:
    """The command that copies a file, sharing its blocks where the file system can."""
    share = ["-c"] if sys.platform == "darwin" else ["--reflink=auto"]
    return ["cp", *share, "--", str(source), str(target)]


def copy_build(build: Path, folder: Path) -> None:
    """Copy in a child process: a handle of our own on a DuckDB file, once closed, drops DuckDB's lock."""
    require_free_space(folder, build.stat().st_size + _SPARE_BYTES)
    done = subprocess.run(
        copy_command(build, folder / COPY_NAME),
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    if done.returncode != 0:
        raise explain_duckdb_error(folder / COPY_NAME, done.stderr or "the copy was not made")


def check_copy(copy: Path, contents: Contents) -> None:
    """Open the copy as a reader would and see that every view works."""
    try:
        with duckdb.connect(str(copy), read_only=True) as con:
            for view, _ in contents.views:
                con.execute(f"select * from {quoted(view.schema)}.{quoted(view.name)} limit 0")
    except duckdb.Error as error:
        raise CheckError(
            f"the new copy cannot be read: {str(error).splitlines()[0]}",
            "run again; the copy published before is still in use",
            file=copy,
        ) from error


def sync(path: Path) -> None:
    """Have a file or folder on the disk before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
