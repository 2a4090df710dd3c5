"""What vendors' tables have, and how they become feeds: `feeds/adapters/<vendor>/<object>.yml` and `.sql`.

The YAML file names the vendor's columns and under which other names they come (`VendorObject`); each SQL file
is one select from them that returns a feed (`Adapter`). How a file is read through them is in `vendor_files`.
Nothing about a vendor is known here: adding one is a YAML and an SQL file, see docs/sources.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from radar.core.errors import UsageError
from radar.core.project import PROJECT
from radar.landing.feeds import load_feeds
from radar.landing.located_yaml import Located, read_located

ADAPTERS = PROJECT / "feeds" / "adapters"
MACROS = "_macros.sql"
FREE_MAIL = "free_mail_domains.csv"

_NAME = re.compile("[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_OBJECT_PROPERTIES = {
    "description",
    "reference",
    "export",
    "pages",
    "wrappers",
    "prefixes",
    "any_of",
    "zip_format",
    "columns",
    "ignored",
}
_COLUMN_PROPERTIES = {"path", "aliases", "required", "where"}
_DATE_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?:[T_ -]?(\d\d)[-:]?(\d\d)(?:[-:]?(\d\d))?Z?)?(?!\d)"
)
_FACT = re.compile(r"-- (\w+) <- ([^:]*): (.+)")
_FEED = re.compile(r"-- feed: (\S+)")


@dataclass(frozen=True)
class VendorColumn:
    """A column of the vendor's, as the adapters of its object name it.

    `paths`: where it is in a record, the vendor's own name first; dots lead into nested values. The names
    are compared by letters and digits alone, so `plan.amount` is also `plan_amount`, `plan__amount` and
    `Plan Amount`; one that begins with `=` is meant as it is written. `where`: where the vendor shows it,
    for whoever has a file without it.
    """

    name: str
    paths: tuple[str, ...]
    required: bool = False
    where: str = ""

    @property
    def title(self) -> str:
        """What the vendor calls it."""
        return self.name if self.name in self.paths else self.paths[0].removeprefix("=")


@dataclass(frozen=True)
class VendorObject:
    """One table or API object of a vendor.

    `export`: how to get a file of it. `pages`: keys under which a page of the API has its records.
    `wrappers`: path of a record within a message -> path of the message's time, or ''. `prefixes`: names
    that may come before a column's (`properties`). `any_of`: columns of which a file has at least one, and
    where the vendor shows them. `zip_format`: what the members of a zip are.
    `ignored`: patterns of columns that are known and not read.
    """

    vendor: str
    name: str
    description: str
    reference: str
    export: str
    columns: tuple[VendorColumn, ...]
    pages: tuple[str, ...]
    wrappers: dict[str, str]
    prefixes: tuple[str, ...]
    ignored: tuple[str, ...]
    zip_format: str | None
    any_of: tuple[tuple[tuple[str, ...], str], ...]
    file: Path

    @property
    def folder(self) -> str:
        """Where its files are among the extracts."""
        return f"{self.vendor}/{self.name}"

    @property
    def exact_names(self) -> set[str]:
        """Names that mean a column only as they are written: `Amount` where `amount` is another."""
        return {path[1:] for column in self.columns for path in column.paths if path.startswith("=")}

    @property
    def required(self) -> tuple[VendorColumn, ...]:
        """The columns that a file has to have."""
        return tuple(column for column in self.columns if column.required)

    def is_ignored(self, name: str) -> bool:
        """Whether the column is known and not read."""
        return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in self.ignored)


@dataclass(frozen=True)
class Adapter:
    """One select from an object's columns (as the relation `source`) that returns rows of a feed.

    `made_of`: column of the feed -> the vendor's columns that it is made of, as the header of the SQL says.
    """

    object: VendorObject
    feed: str
    sql: str
    made_of: dict[str, tuple[str, ...]]
    file: Path

    @property
    def name(self) -> str:
        """What a request to the reading process names it by."""
        return f"{self.object.folder}/{self.file.stem}"

    @property
    def is_main(self) -> bool:
        """Whether it makes the feed that the object is there for, and no other one."""
        return self.file.stem == self.object.name


PAGES = ("data", "results", "records", "items", "list", "value")
"""Keys under which APIs give a page's records, whatever the vendor."""
WRAPPERS = {
    "record": "time_extracted",  # a message of a Singer tap
    "_airbyte_data": "_airbyte_emitted_at",  # a raw table of Airbyte
}
LOADER_TIMES = (
    "_fivetran_synced",
    "_airbyte_extracted_at",
    "_airbyte_emitted_at",
    "_sdc_extracted_at",
    "_sdc_received_at",
    "_sdc_batched_at",
    "__hevo__ingested_at",
)
"""Columns in which loading tools say when they took a record from the vendor."""
LOADER_COLUMNS = ("_fivetran_*", "_airbyte_*", "_dlt_*", "_sdc_*", "__hevo__*", "_ab_*", "_line", "_file")


def folded(name: str) -> str:
    """A name's letters and digits in lower case, without (UTC) at its end: what names are compared by."""
    return re.sub(r"[\W_]", "", re.sub(r"\(utc\)\s*$", "", name.strip().lower()))


@cache
def load_adapters(folder: Path = ADAPTERS) -> dict[str, tuple[Adapter, ...]]:
    """The adapters by the folder of their object. Raises UsageError with file and line."""
    adapters: dict[str, tuple[Adapter, ...]] = {}
    sources = {feed.source for feed in load_feeds().values()}
    for file in sorted(folder.glob("*/*.yml")):
        vendor = file.parent.name
        if vendor in sources:
            raise UsageError(f"{vendor} is a source of feeds", "call the vendor something else", file=file)
        found = _object(file)
        selects = sorted([*file.parent.glob(f"{file.stem}.sql"), *file.parent.glob(f"{file.stem}.*.sql")])
        if not selects:
            raise UsageError("no select reads this object", f"write {file.stem}.sql next to it", file=file)
        adapters[found.folder] = tuple(_adapter(found, select) for select in selects)
    for select in folder.glob("*/*.sql"):
        if not (select.parent / f"{select.name.split('.')[0]}.yml").is_file():
            remedy = f"write {select.name.split('.')[0]}.yml next to it"
            raise UsageError("nothing names the columns that it reads", remedy, file=select)
    return adapters


def adapter_named(name: str) -> Adapter:
    """The adapter of that name."""
    return next(one for found in load_adapters().values() for one in found if one.name == name)


def vendors() -> dict[str, list[str]]:
    """Vendor -> its objects."""
    found: dict[str, list[str]] = {}
    for folder in load_adapters():
        vendor, name = folder.split("/")
        found.setdefault(vendor, []).append(name)
    return found


def nearest_names(name: str, known: list[str]) -> str:
    """The known names that resemble it, or all of them."""
    return ", ".join(get_close_matches(name.lower(), known, n=3, cutoff=0.5) or sorted(known))


def _object(file: Path) -> VendorObject:
    if not (_NAME.fullmatch(file.stem) and _NAME.fullmatch(file.parent.name)):
        raise UsageError("it is named for no object", "use lower case letters, digits and _", file=file)
    spec = read_located(file)
    at = spec.fields(_OBJECT_PROPERTIES, "an object")
    for name in ("description", "reference", "columns"):
        if name not in at:
            raise spec.error(f"the object has no {name}", f"add a line that begins with `{name}:`")
    if not isinstance(at["columns"].value, dict):
        raise at["columns"].error("columns is no mapping", "write a line for each column")
    return VendorObject(
        vendor=file.parent.name,
        name=file.stem,
        description=_text(at, "description"),
        reference=_text(at, "reference"),
        export=_text(at, "export"),
        columns=tuple(_column(name, column) for name, column in at["columns"].value.items()),
        pages=(*(at["pages"].names("pages") if "pages" in at else ()), *PAGES),
        wrappers=_wrappers(at) | WRAPPERS,
        prefixes=at["prefixes"].names("prefixes") if "prefixes" in at else (),
        ignored=(*(at["ignored"].names("ignored") if "ignored" in at else ()), *LOADER_COLUMNS),
        zip_format=_text(at, "zip_format") or None,
        any_of=tuple(_any_of(at)),
        file=file,
    )


def _text(at: dict[str, Located], name: str) -> str:
    return str(at[name].value).strip() if name in at else ""


def _any_of(at: dict[str, Located]) -> Iterator[tuple[tuple[str, ...], str]]:
    for one in at["any_of"].value if "any_of" in at else ():
        group = one.fields({"columns", "where"}, "any_of")
        names = group["columns"].names("columns")
        unknown = [name for name in names if name not in at["columns"].value]
        if unknown:
            raise one.error(f"any_of names {unknown[0]}, which is no column", "name columns of the object")
        yield names, _text(group, "where")


def _wrappers(at: dict[str, Located]) -> dict[str, str]:
    if "wrappers" not in at:
        return {}
    if not isinstance(at["wrappers"].value, dict):
        raise at["wrappers"].error("wrappers is no mapping", "write path of the record: path of the time")
    return {path: str(time.value or "") for path, time in at["wrappers"].value.items()}


def _column(name: str, spec: Located) -> VendorColumn:
    if not re.fullmatch(r"[a-z]\w*", name):
        raise spec.error(f"{name} is no name of a column in SQL", "use it as `path` of a plain name")
    at = spec.fields(_COLUMN_PROPERTIES, f"column {name}") if spec.value is not None else {}
    aliases = at["aliases"].names("aliases") if "aliases" in at else ()
    paths = dict.fromkeys((_text(at, "path") or name, *aliases))
    return VendorColumn(name, tuple(paths), bool(at["required"].value) if "required" in at else False,
                        _text(at, "where"))  # fmt: skip


def _adapter(found: VendorObject, file: Path) -> Adapter:
    sql = file.read_text(encoding="utf-8")
    feed = _FEED.search(sql)
    if not feed or feed[1] not in load_feeds():
        known = ", ".join(load_feeds())
        raise UsageError("it names no feed", f"write -- feed: and one of {known}", file=file, line=1)
    names = {column.name for column in found.columns} | {"_extracted_at", "_is_deleted", "_row_number"}
    made_of: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(sql.splitlines(), start=1):
        fact = _FACT.fullmatch(line.strip())
        if fact:
            made_of[fact[1]] = tuple(name.strip() for name in fact[2].split(",") if name.strip())
            unknown = [name for name in made_of[fact[1]] if name not in names]
            if unknown:
                raise UsageError(f"{found.file.name} has no column {unknown[0]}",
                                 "add it there, or correct the name", file=file, line=number)  # fmt: skip
    return Adapter(found, feed[1], sql.strip().removesuffix(";"), made_of, file)


def time_in_name(name: str) -> str | None:
    """The date, or date and time, that a file's name holds: 2026-06-30, 20260630T0715Z."""
    for match in _DATE_IN_NAME.finditer(name):
        year, month, day, *time = (int(part or 0) for part in match.groups())
        try:
            hour, minute, second = time
            return datetime(year, month, day, hour, minute, second).isoformat(sep=" ")
        except ValueError:
            continue
    return None
