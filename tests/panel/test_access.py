"""Whoever is not to see an account does not, on any route; and what every answer carries."""

from __future__ import annotations

import re
from html import unescape

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from radar.core.errors import RadarError
from radar.panel import sessions, users
from radar.panel.app import create_app
from radar.panel.guard import HEADERS
from radar.panel.people import Person, scoped
from radar.panel.settings import PanelSettings
from tests.panel.conftest import ClientAs
from tests.panel.people import Owners
from tests.runs.radar_run import Place

PASSWORD = "correct horse battery"


@pytest.fixture
def of_stranger(demo_run: Place, owners: Owners) -> tuple[str, str]:
    """An account that neither rep nor lead may see: its id and its name."""
    with duckdb.connect(str(demo_run.published / "radar.duckdb"), read_only=True) as con:
        return con.execute(
            "select account_id, account_name from marts.rpt_account_health where owner_id = ? order by 1",
            [owners.stranger],
        ).fetchall()[0]


def routes(app: Starlette) -> list[Route]:
    return [route for route in app.routes if isinstance(route, Route)]


def test_another_owners_account_is_refused_on_every_route_that_names_one(
    app: Starlette, client_as: ClientAs, of_stranger: tuple[str, str]
) -> None:
    account_id, name = of_stranger
    found = [route for route in routes(app) if "{account_id" in route.path]
    assert len(found) >= 2
    for route in found:
        path = re.sub(r"\{account_id[^}]*\}", account_id, route.path)
        for who in ("rep", "lead"):
            client = client_as(who)
            if "POST" in (route.methods or ()):
                key = re.findall(r'name="form_key" value="([^"]+)"', client.get("/").text)[0]
                answer = client.post(path, data={"form_key": key, "kind": "sign_off", "verdict": "agree"})
            else:
                answer = client.get(path)
            assert answer.status_code == 404
            assert name not in unescape(answer.text)
    assert client_as("admin").get(f"/accounts/{account_id}").status_code == 200


def test_no_page_tells_of_another_owners_account(
    app: Starlette, client_as: ClientAs, of_stranger: tuple[str, str], owners: Owners
) -> None:
    account_id, name = of_stranger
    paths = [route.path for route in routes(app) if "GET" in (route.methods or ()) and "{" not in route.path]
    questions = ["", f"?q={account_id}", f"?owner={owners.stranger}", "?format=csv", f"?account={account_id}"]
    for who in ("rep", "lead"):
        client = client_as(who)
        for path in paths:
            for question in questions:
                shown = unescape(client.get(path + question).text)
                assert name not in shown, (path, question)
                if account_id not in question:  # a field for searching holds what was asked for
                    assert account_id not in shown, (path, question)


def test_a_query_that_forgets_whose_rows_it_reads_is_refused() -> None:
    with pytest.raises(ValueError, match="mine"):
        scoped(Person("x", "rep", ("own",)), "select * from marts.rpt_account_health")


def test_a_rep_without_owner_ids_sees_nothing(app: Starlette, client_as: ClientAs) -> None:
    users.add(app.state.store, "new", "lead", [], None)
    page = client_as("new").get("/")
    assert page.status_code == 200
    assert "<article" not in page.text


def test_every_answer_carries_the_headers(client_as: ClientAs) -> None:
    for path in ("/", "/sign-in", "/nowhere", "/static/panel.css", "/alive"):
        answer = client_as("rep").get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_no_page_holds_an_inline_script_or_style_or_an_address_elsewhere(client_as: ClientAs) -> None:
    client = client_as("admin")
    account = re.findall(r'href="(/accounts/[^"?]+)"', client.get("/").text)[0]
    for path in (
        "/",
        account,
        "/portfolio",
        "/quality",
        "/quality/signals",
        "/links",
        "/rules",
        "/audit",
        "/accounts?q=a",
    ):
        text = client.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", text)
        assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text)


def test_nothing_is_changed_by_get(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("admin")
    account = re.findall(r'href="(/accounts/[^"?]+)"', client.get("/").text)[0]
    assert client.get(f"{account}/decide?kind=sign_off&verdict=agree").status_code == 404
    assert client.get("/sign-out").status_code == 404
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_elsewhere_is_refused(client_as: ClientAs, headers: dict[str, str]) -> None:
    client = client_as("rep")
    key = re.findall(r'name="form_key" value="([^"]+)"', client.get("/").text)[0]
    assert client.post("/sign-out", data={"form_key": key}, headers=headers).status_code == 403
    assert client.post("/sign-out", data={"form_key": "x" * len(key)}).status_code == 403
    assert client.post("/sign-out").status_code in (400, 403)
    assert client.get("/").status_code == 200
    assert client.post("/sign-out", data={"form_key": key}).status_code == 303
    assert client.get("/").status_code == 303


def test_one_sessions_key_does_not_open_anothers_forms(client_as: ClientAs) -> None:
    rep, admin = client_as("rep"), client_as("admin")
    key = re.findall(r'name="form_key" value="([^"]+)"', admin.get("/").text)[0]
    assert rep.post("/sign-out", data={"form_key": key}).status_code == 403


def test_a_session_ends_with_its_user(app: Starlette, client_as: ClientAs) -> None:
    for change in ({"disabled": True}, {"password": "another long password"}):
        users.change(app.state.store, "rep", disabled=False)
        client = client_as("rep")
        assert client.get("/").status_code == 200
        users.change(app.state.store, "rep", **change)  # type: ignore[arg-type]
        assert client.get("/").status_code == 303
    with pytest.raises(RadarError, match="12"):
        users.change(app.state.store, "rep", password="short")


def test_a_session_that_is_not_used_ends(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("rep")
    with app.state.store.writing() as con:
        con.execute("update sessions set used_at = used_at - 36001")
    assert client.get("/").status_code == 303


def test_signing_in_and_guessing(app: Starlette, client_as: ClientAs) -> None:
    users.change(app.state.store, "rep", password=PASSWORD)
    client = client_as(None)

    def attempt(name: str, password: str, target: str = "/quality") -> tuple[int, str]:
        key = re.findall(r'name="form_key" value="([^"]+)"', client.get("/sign-in").text)[0]
        form = {"form_key": key, "name": name, "password": password, "next": target}
        answer = client.post("/sign-in", data=form)
        return answer.status_code, answer.headers.get("location", "")

    assert attempt("rep", PASSWORD) == (303, "/quality")
    cookie = next(c for c in client.cookies.jar if c.name == sessions.COOKIE)
    assert (cookie.secure, cookie.path, cookie.domain_specified) == (True, "/", False)
    assert cookie.has_nonstandard_attr("HttpOnly")
    client.cookies.clear()
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        assert attempt("rep", PASSWORD, target) == (303, "/")
        client.cookies.clear()
    assert [attempt("rep", "not the password")[0] for _ in range(6)] == [401] * 5 + [429]
    assert attempt("rep", PASSWORD)[0] == 429


def test_a_proxy_is_believed_from_its_address_only(
    demo_run: Place, app: Starlette, client_as: ClientAs
) -> None:
    def answer(addresses: str) -> int:
        settings = PanelSettings(
            published=demo_run.published,
            store=app.state.settings.store,
            proxy_header="X-Forwarded-User",
            proxy_addresses=addresses,  # type: ignore[arg-type]
        )
        client = client_as(None)
        made = create_app(settings)
        client._transport.app = made  # type: ignore[attr-defined]
        client._transport.client = ("10.0.0.7", 1234)  # type: ignore[attr-defined]
        status = client.get("/", headers={"X-Forwarded-User": "rep"}).status_code
        made.state.published_db.close()
        return status

    assert answer("10.0.0.0/24, 192.168.1.1") == 200
    assert answer("10.0.1.0/24") == 303


def test_limits_of_what_is_sent(client_as: ClientAs) -> None:
    client = client_as("rep")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-out", content=b"a" * 70_000, headers=headers).status_code == 413
    assert client.post("/sign-out", content=b"&".join([b"a=1"] * 101), headers=headers).status_code == 400
    assert client.post("/sign-out", json={"form_key": "x"}).status_code == 400
    assert client.get("/?q=" + "a" * 3_000).status_code == 400
    assert client.request("PUT", "/").status_code == 405


def test_an_error_is_reported_by_a_number_and_logged_without_what_people_wrote(
    app: Starlette, client_as: ClientAs, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(request: object) -> None:
        raise RuntimeError("anna@example.com")

    app.router.routes.insert(0, Route("/fail", fail))  # type: ignore[arg-type]
    with caplog.at_level("INFO", logger="panel"):
        answer = client_as("rep").get("/fail")
    assert answer.status_code == 500
    error_id = re.findall(r"<code>([0-9a-f]{8})</code>", answer.text)[0]
    assert error_id in caplog.text
    assert "anna" not in answer.text + caplog.text
