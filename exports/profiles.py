"""Destination profiles: which columns of which mart go where, under which header, in which dialect.

Belongs here: reading `profiles/*.yml` strictly, and holding them against a mart. Does not belong here: any
value of a cell (the marts make those) and the writing of files (`exports.writer`).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from radar.errors import InputError, UsageError

FOLDER = Path(__file__).parent / "profiles"
_NAME = r"^[a-z][a-z0-9_]*$"
_Token = Annotated[str, Field(pattern=r"^([^=+\-@\t\r\n][^\t\r\n]*)?$")]
"""Text of our own that may stand in a cell: what the machine dialect refuses in data is refused here too."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


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
    """One column of the file. `when_null` stands in for the dialect's null token."""

    source: str = Field(pattern=_NAME)
    header: str = Field(min_length=1, pattern=r"^[^=+\-@\s][^\t\r\n]*$")
    when_null: _Token | None = None
    compared: bool = True


class Profile(_Strict):
    """A destination. `key` and `label` are columns of the mart; `label` names a refused row to a person."""

    name: str = Field(pattern=_NAME)
    destination: str
    source: str = Field(pattern=r"^[a-z_]+\.[a-z][a-z0-9_]*$")
    key: str = Field(pattern=_NAME)
    label: str = Field(pattern=_NAME)
    dialect: Dialect
    limits: Limits
    import_settings: dict[str, str]
    columns: list[Column] = Field(min_length=1)

    @property
    def headers(self) -> list[str]:
        """The header line."""
        return [column.header for column in self.columns]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Profile:
        if len(set(self.headers)) != len(self.headers):
            raise ValueError("two columns have the same header")
        if self.key not in {column.source for column in self.columns}:
            raise ValueError(f"the key {self.key} is not among the columns")
        if any(column.source == "as_of_date" and column.compared for column in self.columns):
            raise ValueError("as_of_date changes every day: give it `compared: false`")
        return self


class _NoRepeats(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, not the last one's victory."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"{key} stands twice", problem_mark=key_node.start_mark)
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
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{place + ': ' if place else ''}{first['msg']}", "correct the profile", file=file
        ) from error
    if profile.name != file.stem:
        raise InputError(f"the profile is named {profile.name}", "give it the name of its file", file=file)
    return profile


def load_profiles(names: Iterable[str] | None = None, folder: Path = FOLDER) -> list[Profile]:
    """The named profiles, or all of the folder, in the order of their names."""
    files = {file.stem: file for file in sorted(folder.glob("*.yml"))}
    wanted = sorted(set(names)) if names is not None else list(files)
    for name in wanted:
        if name not in files:
            raise UsageError(f"there is no export profile {name}", f"name one of: {', '.join(files)}")
    return [load_profile(files[name]) for name in wanted]


def check_against_mart(profile: Profile, mart: Mapping[str, str], folder: Path = FOLDER) -> None:
    """Refuse a column that the mart (column -> type) lacks, or whose type no cell can hold."""
    file = folder / f"{profile.name}.yml"
    for name in (profile.key, profile.label, *(column.source for column in profile.columns)):
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
