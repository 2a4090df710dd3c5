"""YAML whose values know their line, for files that people write: nothing in it is dropped in silence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from radar.core.errors import UsageError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C, where PyYAML was built with it
_TEXT = "tag:yaml.org,2002:str"


@dataclass(frozen=True)
class Located:
    """A value of a YAML file. `value`: a scalar, or a list or dict of these; `text`: a scalar as written."""

    value: Any
    file: Path
    line: int
    text: str = ""

    def error(self, problem: str, remedy: str) -> UsageError:
        """The error about this value, with its file and line."""
        return UsageError(problem, remedy, file=self.file, line=self.line)

    def fields(self, allowed: set[str], what: str) -> dict[str, Located]:
        """The properties of a mapping. Raises UsageError for an unknown one."""
        if not isinstance(self.value, dict):
            raise self.error(f"{what} is not a mapping of properties", "write `property: value` lines")
        for name, field in self.value.items():
            if name not in allowed:
                raise field.error(
                    f"{what} has no property {name}", f"the properties are {', '.join(sorted(allowed))}"
                )
        return self.value

    def names(self, what: str) -> tuple[str, ...]:
        """A list of texts. Raises UsageError for anything else, or where one is repeated."""
        if not isinstance(self.value, list):
            raise self.error(f"{what} is not a list", "write it as [first, second]")
        found: list[str] = []
        for item in self.value:
            if not isinstance(item.value, str) or item.value in found:
                wrong = "is in the list twice" if item.value in found else "is not text"
                raise item.error(
                    f"{what}: {item.text} {wrong}", "keep one of them, and quote a word such as 'yes'"
                )
            found.append(item.value)
        return tuple(found)


def read_located(file: Path) -> Located:
    """The document of a file. Raises UsageError where it is not YAML or a key is there twice."""
    try:
        loader = _Loader(file.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            if node is None:
                raise UsageError("the file is empty", "fill it, or take it away", file=file)
            return _located(loader, node, file, node.start_mark.line + 1)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UsageError(
            f"not valid YAML: {error.problem}", "correct it", file=file, line=mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"cannot be read: {error}", "put a readable YAML file there", file=file) from error


def _located(loader: Any, node: yaml.Node, file: Path, line: int) -> Located:
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Located] = {}
        for key, value in node.value:
            at = key.start_mark.line + 1
            name = str(key.value)
            if key.tag != _TEXT:
                raise UsageError(f"the name {name} is not text", f"quote it: '{name}'", file=file, line=at)
            if name in found:
                problem = f"{name} is here twice, first in line {found[name].line}"
                raise UsageError(problem, "keep one of them", file=file, line=at)
            found[name] = _located(loader, value, file, at)
        return Located(found, file, line)
    if isinstance(node, yaml.SequenceNode):
        return Located(
            [_located(loader, item, file, item.start_mark.line + 1) for item in node.value], file, line
        )
    return Located(loader.construct_object(node), file, line, node.value)
