"""Data Docs: whole in themselves, without customers' values, and up to date for every feed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from arrivals import FEEDS, Warehouse, open_warehouse

from radar.core.errors import WarehouseError
from radar.quality.docs import offline

FETCHED = re.compile(
    r"""(?:src|srcset|href|poster|data)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?\s*(?:https?:)?//"""
)
LINK = re.compile(r"""href="([^"#]+?)(?:#[^"]*)?\"""")


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The docs of a run in which every feed arrived, with something wrong in three of them."""
    folder = tmp_path_factory.mktemp("docs")
    with open_warehouse(folder) as warehouse:
        warehouse.docs = folder / "state" / "data_docs"
        for feed in FEEDS:
            warehouse.land(feed, good=9)
        warehouse.land("crm/contacts", {"email": "secret at acme.test"}, file="c.csv")
        warehouse.land("billing/payments", *[{"status": "<script>lost"}] * 9, file="<b>.csv")
        warehouse.land("product/events", {"account_id": "ghost"}, file="e.csv")
        warehouse.check()
        yield warehouse.docs


def test_every_feed_has_a_page_and_the_index_leads_to_it(docs: Path) -> None:
    pages = {path.name for path in docs.iterdir()}
    assert pages == {"index.html"} | {f"{feed.replace('/', '_')}.html" for feed in FEEDS}
    assert set(LINK.findall((docs / "index.html").read_text())) == pages - {"index.html"} | {"data:,"}
    for page in pages - {"index.html"}:
        assert set(LINK.findall((docs / page).read_text())) == {"index.html", "data:,"}


def test_pages_open_offline_and_run_nothing(docs: Path) -> None:
    for path in docs.iterdir():
        html = path.read_text()
        assert FETCHED.search(html) is None, path.name
        assert "<script" not in html
        assert "@import" not in html
        assert 'data-toggle="collapse"' not in html


def test_what_is_linked_within_a_page_is_in_it(docs: Path) -> None:
    html = (docs / "support_tickets.html").read_text()
    targets = re.findall(r'href="#([^"]+)"', html)
    assert len(targets) > 5
    assert all(html.count(f'id="{target}"') == 1 for target in targets)


def test_pages_describe_each_check_and_what_was_found(docs: Path) -> None:
    html = (docs / "crm_contacts.html").read_text()
    assert "email has the form of an address" in html
    assert "role is one of champion, sponsor, admin, user, other" in html
    assert "1 of 10 rows not as expected (email has the form of an address): the value is left out" in html
    index = (docs / "index.html").read_text()
    assert "9 of 18 rows fail the check status_known" in index
    assert "the first in &lt;b&gt;.csv row 1 column status" in index


def test_no_value_of_a_customer_is_in_the_docs(docs: Path) -> None:
    for path in docs.iterdir():
        html = path.read_text()
        assert "secret" not in html
        assert "lost" not in html


def test_a_feed_keeps_its_page_until_it_is_checked_again(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.docs = tmp_path / "docs"
    warehouse.land("crm/contacts", {"email": "acme"}, good=9)
    warehouse.land("billing/payments", *[{"status": "lost"}] * 9)
    warehouse.check(1)
    index, page = warehouse.docs / "index.html", warehouse.docs / "crm_contacts.html"
    before = page.read_text()
    assert ">blocked<" in index.read_text()
    warehouse.land("billing/payments", good=9, batch=2)
    warehouse.check(2)
    assert page.read_text() == before
    assert ">blocked<" not in index.read_text()
    assert "1 of 10 rows not as expected (email" in index.read_text()


def test_the_index_names_feeds_that_never_arrived(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.docs = tmp_path / "docs"
    warehouse.land("crm/goals", {})
    warehouse.check()
    index = (tmp_path / "docs" / "index.html").read_text()
    assert index.count("nothing has arrived yet") == 14  # accounts and owners came earlier
    assert [path.name for path in sorted((tmp_path / "docs").iterdir())] == ["crm_goals.html", "index.html"]


def test_a_folder_that_cannot_be_written_is_an_error_with_a_remedy(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    warehouse.docs = tmp_path / "docs"
    warehouse.docs.write_text("a file")
    warehouse.land("crm/goals", {})
    with pytest.raises(WarehouseError, match="What to do"):
        warehouse.check()


def test_whatever_would_be_fetched_or_run_is_taken_out() -> None:
    html = (
        '<link rel="stylesheet" href="https://x.test/a.css"><script src="//x.test/a.js"></script>'
        '<script>\nrun()\n</script><img class="a" src="https://x.test/a.png" alt="b">'
        '<p class="m-0">\n <a data-toggle="collapse" href="#c">Show more...</a>\n</p><div id="c">more</div>'
        '<a href="../../suite.html" >suite</a>'
    )
    assert offline(html) == '<img class="a" alt="b"><div id="c">more</div>suite'
