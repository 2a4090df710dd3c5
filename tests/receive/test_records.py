"""A body becomes lines: each record as it was written, or a refusal that says which one cannot be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radar.receive.records import BodyError, lines

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
records = st.lists(st.dictionaries(st.text(), values, max_size=4), min_size=1, max_size=5)


@given(records, st.sampled_from([None, 2]), st.booleans())
def test_a_list_and_one_a_line_give_the_same_records(
    sent: list[dict[str, Any]], indent: int | None, is_ascii: bool
) -> None:
    texts = [json.dumps(one, indent=indent, ensure_ascii=is_ascii) for one in sent]
    try:
        of_list = lines(f"[{','.join(texts)}]\n".encode())
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text that could be sent
    assert [json.loads(line) for line in of_list] == sent
    assert lines("\r\n".join(texts).encode()) == of_list
    assert not any("\n" in line or "\r" in line for line in of_list)


def test_numbers_stay_as_they_were_written() -> None:
    text = '{"amount": 12.3400, "id": 12345678901234567890, "rate": 1e2}'
    assert lines(text.encode()) == [text]
    assert lines(f" [ {text} , {text} ] ".encode()) == [text, text]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "there is no record"),
        (b" \r\n ", "there is no record"),
        (b"[]", "there is no record"),
        (b"[ ] {}", "something follows the end"),
        (b'{"a": 1', "record 1 cannot be read"),
        (b'{"a": 1}\n{"a": }', "record 2 cannot be read: expecting value, at character 16"),
        (b'[{"a": 1}', "after record 1 neither"),
        (b'[{"a": 1} {"a": 2}]', "after record 1 neither"),
        (b'[{"a": 1},]', "record 2 cannot be read"),
        (b'[{"a": 1}] x', "something follows the end"),
        (b"[[1]]", "record 1 is no object"),
        (b'"text"', "record 1 is no object"),
        (b"12", "record 1 is no object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": "\xff"}', "byte 8 is not UTF-8"),
        (b'{"a": "one\ntwo"}', "record 1 cannot be read: invalid control character"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "record 1 cannot be read"),
    ],
)
def test_what_is_no_list_of_objects_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(BodyError, match=message):
        lines(body)


@given(st.binary(max_size=40))
def test_any_bytes_are_lines_or_refused(body: bytes) -> None:
    try:
        found = lines(body)
    except BodyError:
        return
    assert all(isinstance(json.loads(line), dict) for line in found)
