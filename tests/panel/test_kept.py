"""What is kept is made once, goes with its copy, and never grows beyond its bound."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from panel.kept import Kept


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    kept, made, everybody = Kept(), [], threading.Barrier(8)

    def make() -> str:
        made.append(1)
        return "part"

    def ask(_: int) -> str:
        everybody.wait()
        return kept.get("000001", "key", make)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"part"}
    assert made == [1]


def test_a_newer_copy_forgets_the_parts_of_the_one_before() -> None:
    kept = Kept()
    assert kept.get("000001", "key", lambda: "old") == "old"
    assert kept.get("000002", "key", lambda: "new") == "new"
    assert kept.get("000001", "key", lambda: "read late") == "read late"
    assert kept.get("000002", "key", lambda: "made twice") == "new"


def test_what_was_not_asked_for_longest_goes_first() -> None:
    kept = Kept(most=100)
    for key in ("a", "b"):
        kept.get("1", key, lambda: "x" * 50)
    kept.get("1", "a", lambda: "not made")
    kept.get("1", "c", lambda: "x" * 50)
    assert kept.get("1", "a", lambda: "again") == "x" * 50
    assert kept.get("1", "b", lambda: "again") == "again"


def test_a_part_that_cannot_be_made_is_asked_for_again() -> None:
    kept = Kept()

    def fail() -> str:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        kept.get("1", "key", fail)
    assert kept.get("1", "key", lambda: "made") == "made"
