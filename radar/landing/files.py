"""Finds the files of feeds and vendors below the extracts folder. Looks at names and types, not contents."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from radar.core.errors import InputError, UsageError
from radar.landing.adapters import Adapter, load_adapters, nearest_names, vendors
from radar.landing.feeds import load_feeds

TEXT_FORMATS = ("csv", "tsv", "ndjson", "jsonl", "json")
FORMATS = (*TEXT_FORMATS, "parquet", "xlsx")
COMPRESSIONS = ("gz", "zst", "zip")
UNFINISHED = (".tmp", ".part")  # what copying programs call a file until it is whole
GLOB_CHARACTERS = "*?[]"
PULLED_FILE, RECEIVED_FILE = "pulled-", "received-"
"""How files begin that Radar itself writes, whole or not at all: `radar pull` and `radar receive`."""

_KNOWN_FORMATS = (
    "land files ending in .csv .tsv .ndjson .jsonl .json .parquet or .xlsx, also as .gz (text also as .zst, "
    "or as .zip with members of one type)"
)


@dataclass(frozen=True)
class ExtractFile:
    """One file in a feed's folder. `refusal`: why it must not be opened at all."""

    path: Path
    source_file: str  # relative to the extracts folder, with /
    format: str
    compression: str | None = None
    refusal: InputError | None = None
    adapter: str | None = None  # of a vendor's file: through which select it is read
    delimiter: str | None = None  # between the cells of a line, where it is not that of the format

    @property
    def separator(self) -> str:
        """What is between the cells of a line of a CSV or TSV file."""
        return self.delimiter or ("\t" if self.format == "tsv" else ",")

    @property
    def is_text(self) -> bool:
        """Whether it holds lines rather than Parquet."""
        return self.format in TEXT_FORMATS


@dataclass
class Discovery:
    """Files per feed, in path order; notices of what was passed over, by feed, or '' outside of feeds."""

    files: dict[str, list[ExtractFile]]
    notices: dict[str, list[str]] = field(default_factory=dict)

    def notice(self, feed: str, text: str) -> None:
        """Note something that was passed over."""
        self.notices.setdefault(feed, []).append(text)

    def join(self, other: Discovery) -> None:
        """Take in the files of another folder, after one's own."""
        for feed, files in other.files.items():
            self.files[feed].extend(files)

    @property
    def is_empty(self) -> bool:
        """Whether no feed has a file."""
        return not any(self.files.values())


def discover(extracts: Path) -> Discovery:
    """Find every feed's files. Raises UsageError where the folder is missing, cannot be read or is a file."""
    if not extracts.is_dir():
        problem = "is not a folder" if extracts.exists() else "there is no such folder of extracts"
        raise UsageError(
            problem, "name the folder that holds <source>/<feed>/ with --extracts", file=extracts
        )
    feeds = load_feeds()
    found = Discovery({name: [] for name in feeds})
    sources = {feed.source for feed in feeds.values()}
    for outer in _entries(extracts, extracts):
        if not _is_own_folder(
            found, outer, "", sources | set(vendors()), "no feed and no vendor is called so"
        ):
            continue
        if outer.name in vendors():
            _take_vendor(found, extracts, outer)
            continue
        names = {feed.feed for feed in feeds.values() if feed.source == outer.name}
        for inner in _entries(extracts, Path(outer.path)):
            feed = f"{outer.name}/{inner.name}"
            if _is_own_folder(found, inner, outer.name + "/", names, f"the feeds of {outer.name} are"):
                for entry in _entries(extracts, Path(inner.path)):
                    _take(found, feed, entry, feed)
    return found


def _entries(extracts: Path, folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(
            f"cannot be read ({error.strerror})",
            "give the user that runs Radar the right to read the folder",
            file=folder if folder != extracts else extracts,
        ) from error


def _is_own_folder(
    found: Discovery, entry: os.DirEntry[str], parent: str, known: set[str], hint: str
) -> bool:
    """Whether it is a folder of the contract; else a notice says why it is passed over."""
    name = printable(f"{parent}{entry.name}")
    if _is_ignored(entry.name):
        return False
    if entry.is_symlink():
        found.notice("", f"{name} is a link, and links are not followed: put the folder itself there")
    elif not entry.is_dir() and not file_kind(entry.name) and not entry.name.lower().endswith(".zip"):
        found.notice("", f"{name} is not read: it is in no feed's folder and no file of data by its name")
    elif not entry.is_dir():
        where = "<source>/<feed>/"
        if parent:
            folders = nearest_names(Path(entry.name).stem, sorted(known)).split(", ")
            where = " or ".join(f"{parent}{folder}/" for folder in folders)
        found.notice("", f"{name} is in no feed's folder and is not read: move it into {where}")
    elif entry.name not in known:
        near = nearest_names(entry.name, sorted(known))
        hint = f"{hint} {', '.join(sorted(known))}" if parent else f"{hint}; the nearest are {near}"
        found.notice("", f"folder {name} is not read: {hint}; docs/sources.md says how to add one")
    else:
        return True
    return False


def _take_vendor(found: Discovery, extracts: Path, outer: os.DirEntry[str]) -> None:
    """Take the files of a vendor's objects, each once for every feed that the object's adapters make."""
    objects = set(vendors()[outer.name])
    for inner in _entries(extracts, Path(outer.path)):
        hint = f"the objects of {outer.name} are"
        if _is_own_folder(found, inner, outer.name + "/", objects, hint):
            folder = f"{outer.name}/{inner.name}"
            for entry in _entries(extracts, Path(inner.path)):
                for adapter in load_adapters()[folder]:
                    _take(found, adapter.feed, entry, folder, adapter)


def _is_ignored(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(UNFINISHED)


def _take(
    found: Discovery, feed: str, entry: os.DirEntry[str], folder: str, adapter: Adapter | None = None
) -> None:
    source_file = printable(f"{folder}/{entry.name}")
    if _is_ignored(entry.name):
        return
    if entry.is_dir(follow_symlinks=False):
        found.notice(feed, f"folder {source_file} is not read: files lie in {folder}/ itself")
        return
    kind = file_kind(entry.name)
    if kind is None and adapter and adapter.object.zip_format and entry.name.lower().endswith(".zip"):
        kind = adapter.object.zip_format, "zip"
    if kind is None and entry.name.lower().endswith(".zip"):
        kind = kind_of_members(Path(entry.path))
    if kind is None:
        found.notice(feed, f"{source_file} is not read, its type is unknown: {_KNOWN_FORMATS}")
        return
    refusal = _refusal(source_file, entry)
    name = adapter.name if adapter else None
    found.files[feed].append(ExtractFile(Path(entry.path), source_file, *kind, refusal, name))


def file_kind(name: str) -> tuple[str, str | None] | None:
    """Format and compression that the name implies, or None: `a.CSV.gz` -> ('csv', 'gz')."""
    parts = name.lower().split(".")
    compression = parts.pop() if parts[-1] in COMPRESSIONS else None
    if len(parts) < 2 or parts[-1] not in FORMATS:
        return None
    if parts[-1] not in TEXT_FORMATS and compression in ("zst", "zip"):
        return None
    return parts[-1], compression


def kind_of_members(path: Path) -> tuple[str, str] | None:
    """Format and compression of a zip with members of one text format; a damaged one is refused later."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [file_kind(one.filename) for one in archive.infolist() if is_member(one)]
    except (OSError, zipfile.BadZipFile):
        return "csv", "zip"
    formats = {kind[0] if kind else "" for kind in members}
    return (formats.pop(), "zip") if len(formats) == 1 and formats <= set(TEXT_FORMATS) else None


def is_member(member: zipfile.ZipInfo) -> bool:
    """Whether it is a file that is meant to be read, and not a folder or what macOS adds."""
    return not member.is_dir() and not Path(member.filename).name.startswith(".")


def _refusal(source_file: str, entry: os.DirEntry[str]) -> InputError | None:
    """Why the file must not be opened: DuckDB reads names as patterns, and links lead out of the folder."""
    if entry.is_symlink():
        return InputError(
            "is a link, and links are not followed", "put the file itself here", file=source_file
        )
    if not stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode):
        return InputError("is not a regular file", "put a plain file here", file=source_file)
    if any(character in entry.name for character in GLOB_CHARACTERS):
        return InputError(
            f"its name holds one of {' '.join(GLOB_CHARACTERS)}", "rename the file", file=source_file
        )
    if printable(entry.name) != entry.name:
        return InputError("its name is not UTF-8 text", "rename the file", file=source_file)
    return None


def printable(name: str) -> str:
    """The name as UTF-8 text without control characters, so that it can be stored and shown."""
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
