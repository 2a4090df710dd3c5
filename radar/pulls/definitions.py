"""What is pulled, and how: `feeds/pulls/<vendor>/<object>.yml`, and `_vendor.yml` for what its objects share.

Nothing about a vendor is known here: adding one is YAML alone, see docs/pulls.md. What `client` and
`endpoint` may say is dlt's configuration of a REST API.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from radar.core.addresses import is_loopback
from radar.core.errors import UsageError
from radar.landing.adapters import load_adapters, nearest_names
from radar.landing.feeds import load_feeds
from radar.landing.located_yaml import Located, read_located

VENDOR_FILE = "_vendor.yml"
REST, EXPORT, TABLE, FILES = "endpoint", "export", "table", "files"
KINDS = (REST, EXPORT, TABLE, FILES)
FORMS = ("time", "seconds", "milliseconds", "date", "value")

_VENDOR = {"reference", "variables", "client", "requests_per_second"}
_OBJECT = {
    "description",
    "reference",
    "into",
    *KINDS,
    "changes",
    "each",
    "cursor",
    "most_records",
    "expired_statuses",
    "variables",
}
_CURSOR = {"path", "as", "start", "overlap_minutes", "expires_days"}
_EXPORT = {"path", "params", "suffix", "first_days", "again_days", "ready_after_hours", "empty_statuses"}
_TABLE = {"connection_env", "schema", "name"}
_FILES = {"bucket_url", "file_glob"}
_PROPERTIES: dict[str, tuple[set[str], tuple[str, ...]]] = {
    REST: (set(), ("path",)),  # the others are dlt's
    EXPORT: (_EXPORT, ("path",)),
    TABLE: (_TABLE, ("connection_env", "name")),
    FILES: (_FILES, ("bucket_url",)),
}
"""What each kind may say, and what it has to."""
_VARIABLE = {"where", "default", "is_optional"}
_NAME = re.compile("[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Variable:
    """An environment variable. `where`: where the vendor shows it; one with a default need not be set."""

    name: str
    where: str
    default: str | None


@dataclass(frozen=True)
class Cursor:
    """How far a pull has come. `path`: a record's own time; '' for when the pull began.

    `form`: how the vendor wants it; `value` is no time (a number that grows), and given on as it is.
    `start`: where the first pull begins. `expires_days`: how old it may be for the vendor.
    """

    path: str = ""
    form: str = "time"
    start: str | None = None
    overlap_minutes: int = 10
    expires_days: int | None = None


@dataclass(frozen=True)
class Definition:
    """One object of a vendor. `kind`: an endpoint with pages, an export of whole days, a table, or files.

    `read`: all records (or all since the cursor, where it has `{since}`); `changes`: what changed since then,
    where that is another endpoint. `each`: name and values of a placeholder, for each of which it is read.
    `most_records`: more than so many the vendor gives for no question. `folder`: where its files go.
    """

    vendor: str
    name: str
    description: str
    reference: str
    folder: str
    kind: str
    client: dict[str, Any]
    read: dict[str, Any]
    changes: dict[str, Any] | None
    each: tuple[str, tuple[str, ...]]
    cursor: Cursor | None
    most_records: int | None
    expired_statuses: tuple[int, ...]
    requests_per_second: float
    variables: tuple[Variable, ...]
    file: Path

    @property
    def title(self) -> str:
        """What a person calls it by."""
        return f"{self.vendor}/{self.name}"

    @property
    def missing(self) -> list[Variable]:
        """Variables that have to be set and are not."""
        return [one for one in self.variables if one.default is None and not os.environ.get(one.name)]

    def values(self) -> dict[str, str]:
        """The variables' values. Raises UsageError for one that is missing."""
        for one in self.missing:
            raise UsageError(f"{self.title} cannot be pulled: {one.name} is not set", f"set it: {one.where}")
        return {one.name: os.environ.get(one.name) or (one.default or "") for one in self.variables}


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with `{name}` replaced, where the name is known.

    A value of None takes the entry away that asks for it, so that a first pull asks for everything. A text
    that is one placeholder becomes the value itself, a number for one.
    """
    if isinstance(template, dict):
        entries = {name: filled(value, values) for name, value in template.items()}
        return {name: value for name, value in entries.items() if value is not None or template[name] is None}
    if isinstance(template, list):
        return [filled(one, values) for one in template]
    if not isinstance(template, str):
        return template
    names = [name for name in _PLACEHOLDER.findall(template) if name in values]
    if any(values[name] is None for name in names):
        return None
    if names and template == f"{{{names[0]}}}":
        return values[names[0]]
    return _PLACEHOLDER.sub(lambda found: str(values.get(found[1], found[0])), template)


def load_definitions(*folders: Path) -> dict[str, Definition]:
    """The definitions by `<vendor>/<object>`; a later folder's files replace those of the same name.

    Raises UsageError with file and line.
    """
    found: dict[str, Definition] = {}
    for folder in dict.fromkeys(folders):
        if not folder.is_dir():
            problem = "there is no such folder of pulls"
            raise UsageError(problem, "correct RADAR_PULL_DEFINITIONS", file=folder)
        for file in sorted(folder.glob("*/*.yml")):
            if file.name != VENDOR_FILE:
                definition = _definition(file)
                found[definition.title] = definition
    return found


def chosen(definitions: Mapping[str, Definition], asked: list[str]) -> list[Definition]:
    """Those that are asked for by vendor or `<vendor>/<object>`. Raises UsageError for an unknown one."""
    vendors = {one.vendor for one in definitions.values()}
    for name in asked:
        if name not in definitions and name not in vendors:
            near = nearest_names(name, sorted({*vendors, *definitions}))
            remedy = f"the nearest are {near}; docs/pulls.md says how to add one"
            raise UsageError(f"there is no pull called {name}", remedy)
    return [one for title, one in definitions.items() if {title, one.vendor} & set(asked)]


def checked_address(address: str, what: str) -> str:
    """The address, if a secret can be sent there. Raises UsageError."""
    parts = urlsplit(address)
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        return address
    raise UsageError(f"the address of {what} does not begin with https://", "secrets go there: use TLS")


def _definition(file: Path) -> Definition:
    vendor_file = file.with_name(VENDOR_FILE)
    shared = read_located(vendor_file).fields(_VENDOR, "a vendor") if vendor_file.is_file() else {}
    spec = read_located(file)
    at = spec.fields(_OBJECT, "a pull")
    kinds = [kind for kind in KINDS if kind in at]
    if len(kinds) != 1:
        raise spec.error("it does not say what is read", f"write one of {', '.join(KINDS)}")
    kind = kinds[0]
    allowed, required = _PROPERTIES[kind]
    properties = at[kind].fields(allowed or _any(at[kind]), kind)
    for name in required:
        if name not in properties:
            raise at[kind].error(f"{kind} has no {name}", f"write `{name}:` below `{kind}:`")
    if not (_NAME.fullmatch(file.stem) and _NAME.fullmatch(file.parent.name)):
        raise spec.error("it is named for no object", "use lower case letters, digits and _")
    variables = _variables(shared) | _variables(at)
    read = plain(at[kind])
    if kind == TABLE:
        name = read.get("connection_env", "")
        if not re.fullmatch("[A-Z][A-Z0-9_]*", name):
            problem = "connection_env is no name of a variable"
            raise at[kind].error(problem, "write such as RADAR_APP_DATABASE")
        where = "an address of SQLAlchemy's, such as postgresql://user:password@host/database"
        variables.setdefault(name, Variable(name, where, None))
    elif "client" not in shared and kind != FILES:
        raise spec.error("nothing says where the vendor's API is", f"write `client:` in {vendor_file}")
    if "client" in shared and "base_url" not in shared["client"].fields(_any(shared["client"]), "client"):
        raise shared["client"].error("client has no base_url", "write the address of the vendor's API")
    return Definition(
        vendor=file.parent.name,
        name=file.stem,
        description=_text(at, "description"),
        reference=_text(at, "reference"),
        folder=_folder(file, at, spec),
        kind=kind,
        client=plain(shared["client"]) if "client" in shared else {},
        read=read,
        changes=plain(at["changes"]) if "changes" in at else None,
        each=_each(at),
        cursor=_cursor(at["cursor"]) if "cursor" in at else None,
        most_records=_number(at, "most_records"),
        expired_statuses=tuple(plain(at["expired_statuses"])) if "expired_statuses" in at else (410,),
        requests_per_second=float(_text(shared, "requests_per_second") or 5),
        variables=tuple(variables.values()),
        file=file,
    )


def _any(spec: Located) -> set[str]:
    """Every property that it has: which there may be, dlt knows."""
    return set(spec.value) if isinstance(spec.value, dict) else set()


def _folder(file: Path, at: Mapping[str, Located], spec: Located) -> str:
    folder = _text(at, "into") or f"{file.parent.name}/{file.stem}"
    known = [*load_adapters(), *load_feeds()]
    if folder not in known:
        where = at.get("into", spec)
        remedy = f"write an adapter for it, or `into:` a feed; the nearest are {nearest_names(folder, known)}"
        raise where.error(f"nothing reads the folder {folder}", remedy)
    return folder


def _cursor(spec: Located) -> Cursor:
    at = spec.fields(_CURSOR, "cursor")
    form = _text(at, "as") or "time"
    if form not in FORMS:
        raise at["as"].error(f"a cursor cannot be given as {form}", f"write one of {', '.join(FORMS)}")
    overlap = _number(at, "overlap_minutes")
    return Cursor(
        path=_text(at, "path"),
        form=form,
        start=_text(at, "start") or None,
        overlap_minutes=10 if overlap is None else overlap,
        expires_days=_number(at, "expires_days"),
    )


def _each(at: Mapping[str, Located]) -> tuple[str, tuple[str, ...]]:
    if "each" not in at:
        return "", ("",)
    if not isinstance(at["each"].value, dict) or len(at["each"].value) != 1:
        raise at["each"].error("each is no list with a name", "write it as `each: {kind: [calls, emails]}`")
    ((name, values),) = at["each"].value.items()
    return name, values.names("each")


def _variables(at: Mapping[str, Located]) -> dict[str, Variable]:
    found = {}
    for name, spec in (at["variables"].value if "variables" in at else {}).items():
        fields = spec.fields(_VARIABLE, f"variable {name}")
        if "where" not in fields:
            raise spec.error(f"{name} has no `where`", "say where the vendor shows it")
        default = _text(fields, "default") if "default" in fields else None
        found[name] = Variable(name, _text(fields, "where"), default)
    return found


def _text(at: Mapping[str, Located], name: str) -> str:
    return str(at[name].value).strip() if name in at else ""


def _number(at: Mapping[str, Located], name: str) -> int | None:
    if name not in at:
        return None
    value = at[name].value
    if not isinstance(value, int) or value < 0:
        raise at[name].error(f"{name} is no whole number", "write one, such as 10")
    return value


def plain(spec: Located) -> Any:
    """What the YAML says, without its lines."""
    if isinstance(spec.value, dict):
        return {name: plain(value) for name, value in spec.value.items()}
    if isinstance(spec.value, list):
        return [plain(value) for value in spec.value]
    return spec.value
