"""What is kept is made once, goes with its copy, and never grows beyond its bound."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.applications import Starlette

from radar.panel.page_cache import PageCache
from radar.panel.pages.my_day import OPEN, SHOWN
from tests.panel.conftest import ClientAs


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    page_cache, made, everybody = PageCache(), [], threading.Barrier(8)

    def make() -> str:
        made.append(1)
        return "part"

    def ask(_: int) -> str:
        everybody.wait()
        return page_cache.get("000001", "key", make)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {"part"}
    assert made == [1]


def test_a_newer_copy_forgets_the_parts_of_the_one_before() -> None:
    page_cache = PageCache()
    assert page_cache.get("000001", "key", lambda: "old") == "old"
    assert page_cache.get("000002", "key", lambda: "new") == "new"
    assert page_cache.get("000001", "key", lambda: "read late") == "read late"
    assert page_cache.get("000002", "key", lambda: "made twice") == "new"


def test_what_was_not_asked_for_longest_goes_first() -> None:
    page_cache = PageCache(most=100)
    for key in ("a", "b"):
        page_cache.get("1", key, lambda: "x" * 50)
    page_cache.get("1", "a", lambda: "not made")
    page_cache.get("1", "c", lambda: "x" * 50)
    assert page_cache.get("1", "a", lambda: "again") == "x" * 50
    assert page_cache.get("1", "b", lambda: "again") == "again"


def test_a_part_that_cannot_be_made_is_asked_for_again() -> None:
    page_cache = PageCache()

    def fail() -> str:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer"):
        page_cache.get("1", "key", fail)
    assert page_cache.get("1", "key", lambda: "made") == "made"


def test_a_kept_card_holds_the_keys_of_who_looks_and_what_was_decided_last(client_as: ClientAs) -> None:
    admin, other = client_as("admin"), client_as("admin")
    pages = [admin.get("/").text, other.get("/").text, admin.get("/").text]
    keys = [set(re.findall(r'name="form_key" value="([^"]+)"', page)) for page in pages]
    tokens = [set(re.findall(r'name="form_token" value="([^"]+)"', page)) for page in pages]
    assert [len(found) for found in keys] == [1, 1, 1]
    assert keys[0] == keys[2] != keys[1]
    assert {len(found) for found in tokens} == {SHOWN}
    assert len(set.union(*tokens)) == 3 * SHOWN, "each form of each page is decided once"

    account_id = re.findall(r'<article[^>]* id="([^"]+)"', pages[0])[OPEN]  # folded before and after
    card = pages[0].partition(f'id="{account_id}"')[2].partition("</article>")[0]
    fields = dict(re.findall(r'name="(form_key|form_token|version|as_of_date)" value="([^"]*)"', card))
    form = {**fields, "kind": "override", "bucket": "healthy", "reason": "They & we agree"}
    assert admin.post(f"/accounts/{account_id}/decide", data=form).status_code == 303
    for client in (admin, other):
        card = client.get("/").text.partition(f'id="{account_id}"')[2].partition("</article>")[0]
        assert "They &amp; we agree" in card
        assert 'name="version" value="1"' in card


@pytest.mark.parametrize(
    "path", ["/", "/?tab=at_risk", "/approvals", "/portfolio?page=2", "/accounts/{account}"]
)
def test_a_page_looks_nothing_up_twice(
    app: Starlette, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    admin, read_model = client_as("admin"), app.state.read_model
    account_id = re.findall(r'<article[^>]* id="([^"]+)"', admin.get("/").text)[0]
    asked: list[str] = []
    ask = read_model._ask

    def watched(query: str, parameters: dict[str, Any]) -> Any:
        asked.append(f"{query} {sorted(parameters.items())}")
        return ask(query, parameters)

    monkeypatch.setattr(read_model, "_ask", watched)
    for _ in range(2):  # the first of them reads what is kept for the others
        asked.clear()
        assert admin.get(path.format(account=account_id)).status_code == 200
    assert sorted(asked) == sorted(set(asked))
    assert len(asked) <= 6
