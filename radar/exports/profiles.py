"""Destination profiles: which columns of which mart go where, under which header, in which dialect.

Belongs here: reading `profiles/*.yml` strictly, and checking them against a mart, against what the vendor
takes (`vendors.yml`) and against where a value came from (`origins.yml`). Does not belong here: any value
of a cell (the marts make those, `cells` writes them) and the writing of files (`files`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from radar.core.errors import InputError, UsageError
from radar.core.project import PROJECT

_EXPORTS = PROJECT / "exports"
FOLDER = _EXPORTS / "profiles"
VENDORS = _EXPORTS / "vendors.yml"
ORIGINS = _EXPORTS / "origins.yml"
IGNORE = "ignore"
_NAME = r"^[a-z][a-z0-9_]*$"
_Token = Annotated[str, Field(pattern=r"^([^=+\-@\t\r\n][^\t\r\n]*)?$")]
"""Text of our own that may be in a cell: what the machine dialect refuses in data is refused here too."""
_Source = Annotated[str, Field(pattern=_NAME)]
_Header = Annotated[str, Field(min_length=1, pattern=r"^[^=+\-@\s][^\t\r\n]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Vendor(_Strict):
    """What a vendor takes; see the head of `vendors.yml`."""

    rows: int
    bytes: int
    columns: int
    encodings: list[str]
    delimiters: list[str]
    line_endings: list[str]
    date_formats: list[str]
    header: str
    clears: str | None
    results: Literal["failures", "every_row"]
    objects: dict[str, dict[str, str]]


class Dialect(_Strict):
    """How cells and lines are written. The quoting is always that of RFC 4180."""

    encoding: Literal["utf-8", "utf-8-sig"]
    delimiter: Literal[",", ";", "\t", "|"]
    line_ending: Literal["lf", "crlf"]
    null_token: _Token
    date_format: str = Field(pattern=r"^%[Ymd]([-/.]?%[Ymd]){2}$")
    true_token: _Token
    false_token: _Token
    list_separator: str = Field(min_length=1)


class Limits(_Strict):
    """The most that one file may hold; header and rows both count as bytes, only rows as rows."""

    rows_per_file: int = Field(gt=0)
    bytes_per_file: int = Field(gt=0)


class Column(_Strict):
    """One column of the file: a column of the mart, or the same text in every row (`value`).

    `when_null` replaces the dialect's null token; `required` refuses a row whose cell would be empty.
    `values` maps the mart's values to those of the destination, `allowed` lists what the destination takes;
    a cell that is in neither refuses its row. `identifies`: kept in the row of an account that was removed.
    It is what the destination finds the row by, so it must be unique. `as_date`: the day of a time.
    `returns_as`: the feed column as which the field comes back from the CRM. `masked`: personal data, not
    shown in previews. `compared: false`: not what makes a row one that changed.
    """

    header: _Header
    source: _Source | None = None
    value: _Token | None = None
    when_null: _Token | None = None
    required: bool = False
    values: dict[str, _Token] | None = None
    allowed: list[_Token] | None = None
    most_characters: int | None = Field(default=None, gt=0)
    as_date: bool = False
    identifies: bool = False
    returns_as: str | None = Field(default=None, pattern=r"^[a-z]+/[a-z]+\.[a-z_]+$")
    masked: bool = False
    compared: bool = True

    @model_validator(mode="after")
    def _has_one_origin(self) -> Column:
        if (self.source is None) == (self.value is None):
            raise ValueError("a column has either a source or a value")
        return self


class Profile(_Strict):
    """A destination. `key` and `label` are columns of the mart; `label` names a refused row to a person.

    `create_only`: what has gone out once never goes again, unless it failed. `acknowledge`: whether writing
    the file counts as delivered, or somebody acknowledges it. `removed`: what the destination gets for a row
    that left the mart, by header; or `ignore`. `every_column`: what else the mart has comes after `columns`
    under its own name, so that a column that is added to the mart needs no edit of the profile.
    """

    name: str = Field(pattern=_NAME)
    destination: str
    vendor: str = Field(pattern=_NAME)
    object: str
    source: str = Field(pattern=r"^[a-z_]+\.[a-z][a-z0-9_]*$")
    key: str = Field(pattern=_NAME)
    label: str = Field(pattern=_NAME)
    create_only: bool = False
    acknowledge: Literal["on_write", "on_ack"]
    removed: Literal["ignore"] | dict[str, _Token]
    dialect: Dialect
    limits: Limits
    import_settings: dict[str, str]
    columns: list[Column] = Field(min_length=1)
    every_column: bool = False

    @property
    def headers(self) -> list[str]:
        """The header line."""
        return [column.header for column in self.columns]

    @property
    def sources(self) -> list[str]:
        """The columns of the mart that are mapped, in the order of the file."""
        return [column.source for column in self.columns if column.source is not None]

    @property
    def key_number(self) -> int:
        """The position of the key in the file, from 0."""
        return next(number for number, column in enumerate(self.columns) if column.source == self.key)

    def number_of(self, source: str) -> int | None:
        """The position of a column of the mart in the file, from 0."""
        return next((n for n, column in enumerate(self.columns) if column.source == source), None)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Profile:
        if len(set(self.headers)) != len(self.headers):
            raise ValueError("two columns have the same header")
        if self.key not in self.sources:
            raise ValueError(f"the key {self.key} is not among the columns")
        if any(column.source == "as_of_date" and column.compared for column in self.columns):
            raise ValueError("as_of_date changes every day: give it `compared: false`")
        if self.removed != IGNORE:
            for header in self.removed:
                if header not in self.headers:
                    raise ValueError(f"removed names {header}, which is no header")
            if self.create_only:
                raise ValueError("what is only created is never removed: `removed: ignore`")
        return self


class _NoRepeats(yaml.SafeLoader):
    """YAML in which a key that is there twice is an error; YAML itself would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key} is there twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_profile(file: Path) -> Profile:
    """Read one profile; anything unknown, missing or of another type is an InputError that names it."""
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_NoRepeats)  # noqa: S506 (a SafeLoader)
        profile = Profile.model_validate(content)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(" ".join(str(error).split()), "correct the YAML", file=file) from error
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{location + ': ' if location else ''}{first['msg']}", "correct the profile", file=file
        ) from error
    if profile.name != file.stem:
        raise InputError(f"the profile is named {profile.name}", "give it the name of its file", file=file)
    check_against_vendor(profile, file)
    return profile


def profile_names(folder: Path = FOLDER) -> list[str]:
    """The profiles that there are."""
    return sorted(file.stem for file in folder.glob("*.yml"))


def load_profiles(names: Iterable[str] | None = None, folder: Path = FOLDER) -> list[Profile]:
    """The named profiles, or all of the folder, in the order of their names."""
    files = {name: folder / f"{name}.yml" for name in profile_names(folder)}
    wanted = sorted(set(names)) if names is not None else list(files)
    for name in wanted:
        if name not in files:
            raise UsageError(f"there is no export profile {name}", f"name one of: {', '.join(files)}")
    return [load_profile(files[name]) for name in wanted]


def used_profiles(seeds: Path) -> list[Profile]:
    """The profiles that are used by `destinations.csv`; `seeds` is the folder of reference data in use."""
    with (seeds / "destinations.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    used = [row["destination"].strip() for row in rows if row["is_used"].strip().lower() == "true"]
    return load_profiles(used)


@cache
def vendors() -> dict[str, Vendor]:
    """What each vendor takes."""
    content = yaml.load(VENDORS.read_text(encoding="utf-8"), Loader=_NoRepeats)  # noqa: S506 (a SafeLoader)
    return {name: Vendor.model_validate(vendor) for name, vendor in content.items()}


@cache
def origins() -> dict[str, dict[str, list[str]]]:
    """Mart -> column -> the feed columns that its value came from, or may have come from."""
    content = yaml.load(ORIGINS.read_text(encoding="utf-8"), Loader=_NoRepeats)  # noqa: S506 (a SafeLoader)
    return {mart: dict(columns) for mart, columns in content.items()}


def check_against_vendor(profile: Profile, file: Path) -> None:
    """Refuse what the vendor's import does not take."""
    if profile.vendor not in vendors():
        raise InputError(
            f"there is no vendor {profile.vendor}", f"name one of: {', '.join(vendors())}", file=file
        )
    vendor, dialect = vendors()[profile.vendor], profile.dialect
    where = f"{profile.vendor} takes"
    if profile.object not in vendor.objects:
        raise InputError(
            f"{where} no {profile.object}", f"name one of: {', '.join(vendor.objects)}", file=file
        )
    for most, asked, unit in (
        (vendor.rows, profile.limits.rows_per_file, "rows a file"),
        (vendor.bytes, profile.limits.bytes_per_file, "bytes a file"),
        (vendor.columns, len(profile.columns), "columns"),
    ):
        if asked > most:
            raise InputError(
                f"{where} {most:,} {unit}, and the profile asks for {asked:,}", "ask for less", file=file
            )
    for takes, asked_for, what in (
        (vendor.encodings, dialect.encoding, "encoding"),
        (vendor.delimiters, dialect.delimiter, "delimiter"),
        (vendor.line_endings, dialect.line_ending, "line ending"),
        (vendor.date_formats, dialect.date_format, "date form"),
    ):
        if asked_for not in takes:
            raise InputError(
                f"{profile.vendor} does not read the {what} {asked_for!r}", f"use one of {takes}", file=file
            )
    if vendor.clears is not None and dialect.null_token != vendor.clears:
        raise InputError(
            f"{profile.vendor} empties a field with {vendor.clears}, and leaves it where the cell is empty",
            f"make the null_token {vendor.clears}",
            file=file,
        )
    for header in profile.headers:
        if not re.fullmatch(vendor.header, header):
            raise InputError(
                f"{profile.vendor} has no field called {header}", "correct the header", file=file
            )


def check_for_loops(profile: Profile, folder: Path = FOLDER) -> None:
    """Refuse a field that would get its own value back, as the CRM's feed brought it."""
    file = folder / f"{profile.name}.yml"
    owned = vendors()[profile.vendor].objects[profile.object]
    sources = origins().get(profile.source, {})
    for column in profile.columns:
        comes_back = {column.returns_as, owned.get(column.header)} - {None}
        loops = comes_back.intersection(sources.get(column.source or "", []))
        if loops and column.source != profile.key and not column.identifies:
            raise InputError(
                f"the value of {column.source} came from {loops.pop()}, and {column.header} is that field",
                "map it to a field of Radar's own",
                file=file,
                column=column.source,
            )


def with_every_column(profile: Profile, mart: Mapping[str, str]) -> Profile:
    """The profile with the columns of the mart that it takes without naming them."""
    if not profile.every_column:
        return profile
    named = {*profile.sources, *profile.headers}
    others = [Column(header=name, source=name) for name in mart if name not in named]
    return profile.model_copy(update={"columns": [*profile.columns, *others]})


def check_against_mart(profile: Profile, mart: Mapping[str, str], folder: Path = FOLDER) -> None:
    """Refuse a column that the mart (column -> type) lacks, or whose type no cell can hold."""
    file = folder / f"{profile.name}.yml"
    for name in (profile.key, profile.label, *profile.sources):
        if name not in mart:
            raise InputError(
                f"{profile.source} has no column {name}",
                "map a column that the mart has",
                file=file,
                column=name,
            )
        if not is_writable(mart[name]):
            raise InputError(
                f"a column of type {mart[name]} cannot be written to a file",
                "map another column, or cast it in the mart",
                file=file,
                column=name,
            )


def is_writable(kind: str) -> bool:
    """Whether a cell can hold a value of this DuckDB type."""
    pattern = r"VARCHAR(\[\])?|UUID|ENUM\(.*|BOOLEAN|DATE|TIMESTAMP|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"
    return re.fullmatch(rf"{pattern}|DECIMAL\(.*|DOUBLE|FLOAT", kind) is not None
