"""What a file of a folder is: which vendor's object, or which feed, by the names of its columns.

Only names are looked at. Whether the file is sound is found by landing it (`radar.landing.sources_check`).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from radar.landing.adapters import VendorObject, folded, load_adapters, vendors
from radar.landing.feeds import load_feeds
from radar.landing.files import GLOB_CHARACTERS, file_kind, kind_of_members, printable
from radar.landing.sources import known_names
from radar.landing.vendor_files import places_of, unread_keys

SECONDS = 60
MOST_FILES = 2_000
LEAST, LEAST_WHERE_NAMED = 1.2, 1.0
"""The least score of a fit, and of one whose vendor and object the path names."""
IGNORES_ALL = 0.5
"""How far a column counts as known to an object that ignores whatever it does not read."""
NEARLY = 0.2
"""Two folders fit a file equally well where their scores differ by less."""


@dataclass(frozen=True)
class Fit:
    """One folder that a file may belong into.

    `score`: the share of the file's columns that it knows, and of its own columns that the file has.
    `missing`: columns without which it is none of these.
    """

    folder: str
    score: float
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Recognised:
    """A file. `folder`: where it belongs, or nothing; `reason`: why nothing; `choices`: what it may be."""

    path: Path
    name: str
    folder: str | None
    reason: str = ""
    choices: tuple[str, ...] = ()


def recognise(root: Path) -> list[Recognised]:
    """Every file below the folder, in the order of its name; hidden ones are left out."""
    files = [path for path in sorted(root.rglob("*")) if not _is_hidden(path.relative_to(root))]
    return [_recognised(root, path) for path in files[:MOST_FILES] if path.is_symlink() or path.is_file()]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _recognised(root: Path, path: Path) -> Recognised:
    name = printable(path.relative_to(root).as_posix())
    kind = _kind(path)
    if path.is_symlink() or any(character in path.name for character in GLOB_CHARACTERS):
        return Recognised(path, name, None, f"a link, or its name holds one of {' '.join(GLOB_CHARACTERS)}")
    if kind is None and path.suffix.lower() in ("", ".md"):
        return Recognised(path, name, None, "no file of data by its name")
    if kind is None:
        return Recognised(
            path, name, None, "its type is not read: save it as CSV, TSV, JSON, Excel (.xlsx) or Parquet"
        )
    given = "/".join(path.relative_to(root).parts[-3:-1])
    if given in load_adapters() or given in load_feeds():
        return Recognised(path, name, given)
    keys = _keys(path, *kind)
    if not keys:
        return Recognised(path, name, None, "nothing in it could be read as columns: is it cut or damaged?")
    return _decided(path, name, keys, is_nested=kind[0].endswith(("json", "jsonl")))


def _kind(path: Path) -> tuple[str, str] | None:
    """Format and compression by the name, of a zip by the names of its members."""
    kind = file_kind(path.name) or (kind_of_members(path) if path.suffix.lower() == ".zip" else None)
    return (kind[0], kind[1] or "") if kind else None


def _keys(path: Path, file_format: str, compression: str) -> list[str]:
    command = [sys.executable, "-m", "radar.onboarding.file_keys", file_format, compression, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        return [str(key) for key in json.loads(done.stdout)] if done.returncode == 0 else []
    except (subprocess.TimeoutExpired, ValueError):
        return []


def _decided(path: Path, name: str, keys: list[str], *, is_nested: bool) -> Recognised:
    fits = [*_of_objects(keys, is_nested=is_nested), *_of_feeds(keys)]
    words = "_" + "_".join(map(_singular, re.findall("[a-z]+", name.lower()))) + "_"
    if any(_is_named(vendor, words) for vendor in vendors()):
        fits = [fit for fit in fits if _is_named(fit.folder.split("/")[0], words)]
    whole = [fit for fit in fits if not fit.missing and fit.score >= LEAST]
    named = [fit for fit in fits if all(_is_named(part, words) for part in _titles(fit.folder))]
    longest = max((len(fit.folder) for fit in named), default=0)  # payment_intents, not payments
    named = [fit for fit in named if len(fit.folder) == longest]
    whole = [fit for fit in named if not fit.missing and fit.score >= LEAST_WHERE_NAMED] or whole
    if not whole:
        return Recognised(path, name, None, _nearest([fit for fit in named if fit.missing] or fits))
    whole.sort(key=lambda fit: -fit.score)
    choices = tuple(fit.folder for fit in whole if fit.score > whole[0].score - NEARLY)
    if len(choices) > 1:
        return Recognised(path, name, None, f"it may be {' or '.join(choices)}", choices)
    return Recognised(path, name, choices[0])


def _nearest(fits: Sequence[Fit]) -> str:
    """What the file lacks, of the folder that most of its columns speak for."""
    near = max(fits, key=lambda fit: fit.score - len(fit.missing), default=None)
    if near is None or not near.missing or near.score < LEAST_WHERE_NAMED / 2:
        return "no vendor's object and no feed has these columns: docs/sources.md says how to add one"
    return f"it resembles {near.folder}, and has no {' and no '.join(near.missing)}"


def _titles(folder: str) -> list[str]:
    """What a file's name has to say of a folder: vendor and object; of a feed, accounts is enough."""
    parts = folder.split("/")
    return parts[1:] if folder in load_feeds() else parts


def _is_named(name: str, words: str) -> bool:
    return f"_{_words(name)}_" in words


def _words(name: str) -> str:
    return "_".join(map(_singular, name.split("_")))


def _singular(word: str) -> str:
    return word[:-3] + "y" if word.endswith("ies") else word.rstrip("s")


def _of_objects(keys: list[str], *, is_nested: bool) -> Iterator[Fit]:
    for adapters in load_adapters().values():
        found = adapters[0].object
        fits = [_fit(found, adapters[0].feed, some, is_nested) for some in _unwrapped(found, keys, is_nested)]
        yield max(fits, key=lambda fit: (not fit.missing, fit.score))


def _unwrapped(found: VendorObject, keys: list[str], is_nested: bool) -> Iterator[list[str]]:
    """The names as they are, and those within each message that the object may come in."""
    yield keys
    for path in found.wrappers if is_nested else ():
        inner = [key.removeprefix(f"{path}.") for key in keys if key.startswith(f"{path}.")]
        if inner:
            yield inner


def _fit(found: VendorObject, feed: str, keys: list[str], is_nested: bool) -> Fit:
    tops = [key for key in keys if "." not in key] if is_nested else keys
    there = {folded(key) for key in keys}
    places = {
        column.name: [
            spot
            for spot in places_of(column, found, tops)
            if not (is_nested and spot.inside) or folded("".join((spot.key, *spot.inside))) in there
        ]
        for column in found.columns
    }
    titles = {column.name: column.title for column in found.columns}
    missing = [column.title for column in found.required if not places[column.name]]
    missing += [
        " or ".join(titles[name] for name in some)
        for some, _ in found.any_of
        if not any(places[name] for name in some)
    ]
    plain = replace(found, ignored=tuple(pattern for pattern in found.ignored if pattern != "*"))
    unknown, _ = unread_keys(plain, tops, places, load_feeds()[feed])
    weight = IGNORES_ALL if plain.ignored != found.ignored else 0
    known = 1 - len(unknown) * (1 - weight) / max(1, len(tops))
    read = sum(map(bool, places.values())) / len(places)
    return Fit(found.folder, known + read, tuple(missing))


def _of_feeds(keys: list[str]) -> Iterator[Fit]:
    for feed in load_feeds().values():
        known = known_names(feed).intersection(keys)
        missing = [
            column.name
            for column in feed.columns
            if column.required and known.isdisjoint((column.name, *column.aliases))
        ]
        own = sum(column.is_own for column in feed.columns)
        yield Fit(feed.name, len(known) / max(1, len(keys)) + len(known) / own, tuple(missing))
