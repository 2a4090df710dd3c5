"""Splits a body into records, each one line of JSON as the sender wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NoReturn

_SPACE = re.compile(r"[ \t\r\n]*")
_LINE_ENDS = str.maketrans("\r\n", "  ")


class BodyError(Exception):
    """The body is no list of JSON objects; the text says which record and what is wrong."""


def lines(body: bytes) -> list[str]:
    """The objects of a JSON list, or of NDJSON. Raises BodyError.

    Numbers and texts stay as they were written: only line ends between values become spaces.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BodyError(f"byte {error.start + 1} is not UTF-8 text") from None
    start = _after_space(text, 0)
    is_list = text.startswith("[", start)
    found = [
        text[begin:end].translate(_LINE_ENDS)
        for begin, end in (_elements(text, start + 1) if is_list else _sequence(text, start))
    ]
    if not found:
        raise BodyError("there is no record in it")
    return found


def _sequence(text: str, at: int) -> Iterator[tuple[int, int]]:
    number = 0
    while at < len(text):
        number += 1
        end = _object_end(text, at, number)
        yield at, end
        at = _after_space(text, end)


def _elements(text: str, at: int) -> Iterator[tuple[int, int]]:
    at, number = _after_space(text, at), 0
    while not text.startswith("]", at):
        if number and not text.startswith(",", at):
            raise BodyError(f"after record {number} neither a comma nor the end of the list follows")
        at, number = _after_space(text, at + 1 if number else at), number + 1
        end = _object_end(text, at, number)
        yield at, end
        at = _after_space(text, end)
    if _after_space(text, at + 1) < len(text):
        raise BodyError("something follows the end of the list")


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _object_end(text: str, at: int, number: int) -> int:
    try:
        value, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as error:
        reason = "is nested too deeply" if isinstance(error, RecursionError) else _reason(error)
        raise BodyError(f"record {number} cannot be read: {reason}") from None
    if not isinstance(value, dict):
        raise BodyError(f"record {number} is no object of names and values")
    return end


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]}, at character {error.pos + 1}"
    return str(error)
