"""Sign-in at an OpenID provider: who is let in, and every way in which somebody else is not."""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from radar.core.errors import UsageError
from radar.panel import oidc, sessions, users
from radar.panel.app import create_app
from radar.panel.settings import PanelSettings
from radar.panel.store import Store
from tests.panel.browser import chromium, require_chromium
from tests.panel.openid import CLIENT, SECRET, Provider, encoded, rsa_key, served
from tests.panel.server import RADAR, free_port, start

ORIGIN = "https://testserver"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with served() as found:
        yield found


def settings(provider: Provider, folder: Path, **others: Any) -> PanelSettings:
    told: dict[str, Any] = {
        "published": folder / "published",
        "store": folder / "panel.sqlite",
        "origin": ORIGIN,
        "oidc_issuer": provider.address,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
    }
    return PanelSettings(**{**told, **others})


@pytest.fixture
def app(provider: Provider, tmp_path: Path) -> Any:
    """A panel that knows ada by her address, and eve only by a password."""
    made = create_app(settings(provider, tmp_path))
    users.add(made.state.store, "ada@example.com", "rep", ["own_1"], None)
    users.add(made.state.store, "eve@example.com", "admin", [], "correct horse battery")
    return made


def browser(app: Any) -> TestClient:
    return TestClient(app, base_url=ORIGIN, follow_redirects=False)


def sent(client: TestClient, target: str = "/") -> dict[str, str]:
    """What the provider is asked by a browser that signs in there."""
    answer = client.get("/sign-in/provider", params={"next": target})
    assert answer.status_code == 302
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def back(client: TestClient, address: str) -> httpx2.Response:
    return client.get(address)


def is_in(client: TestClient) -> bool:
    return client.get("/").status_code == 200


def test_whom_the_provider_knows_and_the_panel_knows_is_let_in(app: Any, provider: Provider) -> None:
    client = browser(app)
    assert f"Sign in with {urlsplit(provider.address).netloc}" in client.get("/sign-in").text
    answer = back(client, provider.authorize(sent(client, "/accounts?q=a")))
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts?q=a")
    page = client.get("/accounts")
    assert page.status_code == 200
    assert "ada@example.com" in page.text
    assert client.cookies.get(oidc.ATTEMPT_COOKIE) is None
    cookie = next(one for one in answer.headers.get_list("set-cookie") if one.startswith(sessions.COOKIE))
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    users.change(app.state.store, "ada@example.com", disabled=True)
    assert not is_in(client)


@pytest.mark.parametrize(
    "who",
    [
        {"email": "bob@example.com", "email_verified": True},
        {"email": "eve@example.com", "email_verified": True},
        {"email": "ada@example.com", "email_verified": False},
        {"email": "ada@example.com", "email_verified": "true"},
        {"email": "ada@example.com"},
        {"email": ["ada@example.com"], "email_verified": True},
        {"email_verified": True},
    ],
    ids=["unknown", "has a password", "unverified", "verified as text", "not said", "a list", "no address"],
)
def test_nobody_else_is_let_in(app: Any, provider: Provider, who: dict[str, Any]) -> None:
    client = browser(app)
    provider.who = who
    assert back(client, provider.authorize(sent(client))).status_code == 401
    assert not is_in(client)


def test_somebody_who_is_switched_off_is_not_let_in(app: Any, provider: Provider) -> None:
    client = browser(app)
    users.change(app.state.store, "ada@example.com", disabled=True)
    assert back(client, provider.authorize(sent(client))).status_code == 401
    assert not is_in(client)


@pytest.mark.parametrize(
    "changes",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": "another", "azp": CLIENT},
        {"aud": None},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://another.example"},
        {"exp": -3600},
        {"exp": None},
        {"iat": 3600},
        {"nbf": 3600},
        {"at_hash": "of another"},
    ],
    ids=str,
)
def test_a_token_that_was_not_made_for_this_is_refused(
    app: Any, provider: Provider, changes: dict[str, Any]
) -> None:
    """Numbers are seconds from now."""

    def spoil(claims: dict[str, Any]) -> None:
        for name, value in changes.items():
            claims[name] = int(time.time()) + value if isinstance(value, int) else value
            if value is None:
                del claims[name]

    client = browser(app)
    provider.spoil = spoil
    assert back(client, provider.authorize(sent(client))).status_code == 401
    assert not is_in(client)


def by_hand(header: dict[str, str], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token with an HMAC for a signature, or with none."""
    text = f"{encoded(json.dumps(header).encode())}.{encoded(json.dumps(claims).encode())}"
    made = b"" if secret is None else hmac.digest(secret, text.encode(), "sha256")
    return f"{text}.{encoded(made)}"


@pytest.mark.parametrize("how", ["another key", "the client's secret", "the public key as a secret", "none"])
def test_a_forged_signature_is_refused(app: Any, provider: Provider, how: str) -> None:
    secrets = {
        "the client's secret": SECRET.encode(),
        "the public key as a secret": provider.key.as_pem(private=False),
        "none": None,
    }
    if how == "another key":
        provider.key = rsa_key("one", 2)
    else:
        header = {"alg": "none" if how == "none" else "HS256", "kid": "one"}
        provider.sign = lambda claims: by_hand(header, claims, secrets[how])
    client = browser(app)
    assert back(client, provider.authorize(sent(client))).status_code == 401
    assert not is_in(client)


def test_a_new_key_of_the_provider_is_found(app: Any, provider: Provider) -> None:
    first, second = browser(app), browser(app)
    assert back(first, provider.authorize(sent(first))).status_code == 303
    provider.key = rsa_key("two")
    provider.published = [provider.key]
    assert back(second, provider.authorize(sent(second))).status_code == 303
    assert is_in(second)


def test_a_key_that_the_provider_has_withdrawn_counts_for_an_hour_at_most(
    app: Any, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = browser(app)
    assert back(client, provider.authorize(sent(client))).status_code == 303
    provider.published = [rsa_key("two")]
    monkeypatch.setattr(oidc, "_FRESH", -1)
    other = browser(app)
    assert back(other, provider.authorize(sent(other))).status_code == 401
    assert not is_in(other)


def test_the_way_of_another_browser_is_refused(app: Any, provider: Provider) -> None:
    mine, theirs = browser(app), browser(app)
    sent(theirs)
    lured = provider.authorize(sent(mine))
    for client in (theirs, browser(app)):
        assert back(client, lured).status_code == 401
        assert not is_in(client)
    assert len(provider.codes) == 1  # it was not even asked


def test_a_code_works_once(app: Any, provider: Provider) -> None:
    client = browser(app)
    address = provider.authorize(sent(client))
    kept = client.cookies.get(oidc.ATTEMPT_COOKIE)
    assert back(client, address).status_code == 303
    again = browser(app)
    assert back(again, address).status_code == 401
    again.cookies.set(oidc.ATTEMPT_COOKIE, kept)
    assert back(again, address).status_code == 401
    assert not is_in(again)
    assert len(provider.refused) == 1


def test_a_code_of_another_attempt_is_refused(app: Any, provider: Provider) -> None:
    """Who got hold of a code puts it into their own way back: the verifier is not that of the code."""
    code = provider.authorize(sent(browser(app))).partition("code=")[2].partition("&")[0]
    client = browser(app)
    asked = sent(client)
    address = f"{oidc.RETURN_PATH}?code={code}&state={asked['state']}"
    assert back(client, address).status_code == 401
    assert not is_in(client)


def test_the_answer_leads_to_no_other_site_and_odd_returns_to_no_error(app: Any, provider: Provider) -> None:
    client = browser(app)
    answer = back(client, provider.authorize(sent(client, "//evil.example/")))
    assert answer.headers["location"] == "/"
    for query in ("", "?error=access_denied&state=x", "?code=%00&state=%ff", "?state=&code=a"):
        client = browser(app)
        client.cookies.set(oidc.ATTEMPT_COOKIE, "..%zz")
        assert back(client, f"{oidc.RETURN_PATH}{query}").status_code == 401


def test_a_provider_that_is_away_or_another_is_reported(tmp_path: Path, provider: Provider) -> None:
    away = settings(provider, tmp_path, oidc_issuer=f"http://127.0.0.1:{free_port()}")
    answer = browser(create_app(away)).get("/sign-in/provider")
    assert answer.status_code == 502
    assert "does not answer" in answer.text
    provider.issuer = "https://another.example"
    assert browser(create_app(settings(provider, tmp_path))).get("/sign-in/provider").status_code == 502


def test_a_provider_that_hangs_keeps_nobody_else_waiting(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait for it: pages are served meanwhile, and each of them gets an answer."""
    monkeypatch.setattr(oidc, "_TIMEOUT", 3)

    async def ask(silent: socket.socket, panel: Any) -> set[int]:
        transport = httpx2.ASGITransport(app=panel)
        async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            waiting = [asyncio.create_task(client.get("/sign-in/provider")) for _ in range(20)]
            with (await asyncio.to_thread(silent.accept))[0]:
                assert (await client.get("/sign-in")).status_code == 200
                assert not any(one.done() for one in waiting)
                return {answer.status_code for answer in await asyncio.gather(*waiting)}

    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = settings(provider, tmp_path, oidc_issuer=f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert asyncio.run(ask(silent, create_app(told))) == {502}


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_the_provider_sends_the_panel_nowhere_else(app: Any, provider: Provider, path: str) -> None:
    """A redirect is not followed, least of all with the code and the panel's secret."""
    provider.moved[path] = f"{provider.address}/elsewhere"
    client = browser(app)
    if client.get("/sign-in/provider").status_code != 502:
        assert back(client, provider.authorize(sent(client))).status_code in (401, 502)
    assert path in provider.asked
    assert "/elsewhere" not in provider.asked
    assert not is_in(client)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize("answer", [[], "text", None, 1, {}, {"id_token": 1}, {"keys": {}}], ids=str)
def test_an_answer_that_nobody_can_read_is_no_error_of_the_panel(
    app: Any, provider: Provider, path: str, answer: Any
) -> None:
    provider.answers[path] = answer
    client = browser(app)
    if client.get("/sign-in/provider").status_code != 502:
        assert back(client, provider.authorize(sent(client))).status_code == 401
    assert not is_in(client)


def test_another_process_of_the_panel_takes_the_return(tmp_path: Path, provider: Provider) -> None:
    """Also one that was started after the browser had left: all it needs is in the store and the cookie."""
    first = create_app(settings(provider, tmp_path))
    users.add(first.state.store, "ada@example.com", "rep", ["own_1"], None)
    client = browser(first)
    address = provider.authorize(sent(client, "/accounts"))
    other = browser(create_app(settings(provider, tmp_path)))
    other.cookies = client.cookies
    assert back(other, address).headers["location"] == "/accounts"
    assert is_in(other)


def test_the_cookie_of_an_attempt_is_for_this_panel_and_a_few_minutes(app: Any, provider: Provider) -> None:
    client = browser(app)
    answer = client.get("/sign-in/provider", params={"next": "/accounts?q=" + "a" * 1_900})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-radar-attempt=")
    assert {"secure", "httponly", "samesite=lax", "path=/", "max-age=600"} <= set(cookie.lower().split("; "))
    assert len(cookie) < 3_000  # browsers drop one of more than 4,096; real providers have longer addresses
    ended = back(client, provider.authorize(sent(client)))
    assert "expires=Thu, 01 Jan 1970" in next(
        one for one in ended.headers.get_list("set-cookie") if one.startswith("__Host-radar-attempt=")
    )


def test_a_cookie_that_the_panel_did_not_sign_counts_for_nothing(app: Any, provider: Provider) -> None:
    client, other = browser(app), browser(app)
    asked = sent(client)
    data, _, _ = client.cookies[oidc.ATTEMPT_COOKIE].partition(".")
    for forged in (data, f"{data}.{'a' * 6}.{'b' * 27}", "null", "..%zz", ""):
        other.cookies.clear()
        other.cookies.set(oidc.ATTEMPT_COOKIE, forged)
        assert back(other, f"{oidc.RETURN_PATH}?code=a&state={asked['state']}").status_code == 401


def test_the_log_names_nobody(app: Any, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for who in ({"email": "bob@example.com", "email_verified": True}, {"email": "ada@example.com"}):
        client = browser(app)
        provider.who = who
        assert back(client, provider.authorize(sent(client))).status_code == 401
    client = browser(app)
    assert back(client, f"{oidc.RETURN_PATH}?error=ada@example.com&state=x").status_code == 401
    told = [text for one in caplog.records if ORIGIN not in (text := one.getMessage())]  # not the browser's
    assert sum("sign-in by OpenID Connect refused" in line for line in told) == 3
    assert not any("@example.com" in line or "code-" in line for line in told)


def test_who_is_not_known_sees_whom_to_ask(app: Any, provider: Provider) -> None:
    client = browser(app)
    provider.who = {"email": "bob@example.com", "email_verified": True}
    answer = back(client, provider.authorize(sent(client)))
    assert "ask whoever looks after it to add your e-mail address" in answer.text


def test_without_a_provider_there_is_no_such_page(tmp_path: Path) -> None:
    client = browser(create_app(PanelSettings(published=tmp_path / "none", store=tmp_path / "panel.sqlite")))
    assert "Sign in with" not in client.get("/sign-in").text
    for path in ("/sign-in/provider", oidc.RETURN_PATH):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("missing", ["oidc_issuer", "oidc_client_id", "oidc_client_secret", "origin"])
def test_a_setting_that_is_missing_is_named(provider: Provider, tmp_path: Path, missing: str) -> None:
    with pytest.raises(UsageError, match=f"RADAR_PANEL_{missing.upper()} missing"):
        oidc.provider(settings(provider, tmp_path, **{missing: ""}))


def test_an_issuer_in_the_clear_and_a_missing_package_are_reported(
    provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no https address"):
        oidc.provider(settings(provider, tmp_path, oidc_issuer="http://login.example.com"))
    for name in ("authlib.integrations.starlette_client", "httpx2", "itsdangerous"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            with pytest.raises(UsageError, match=r"radar-customer-health\[oidc\]"):
                oidc.provider(settings(provider, tmp_path))


def test_the_command_says_what_is_missing_before_it_starts(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "RADAR_PANEL_STORE": str(tmp_path / "panel.sqlite"),
        "RADAR_PANEL_OIDC_ISSUER": "https://login.example.com",
    }
    done = subprocess.run(
        [str(RADAR), "panel"], capture_output=True, text=True, check=False, env=environment, timeout=60
    )
    assert done.returncode == 2
    assert "RADAR_PANEL_OIDC_CLIENT_SECRET" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_browser_goes_the_whole_way(provider: Provider, tmp_path: Path) -> None:
    require_chromium()
    port = free_port()
    store = Store(tmp_path / "panel.sqlite")
    users.add(store, "ada@example.com", "rep", ["own_1"], None)
    environment = {
        "RADAR_PANEL_ORIGIN": f"http://127.0.0.1:{port}",
        "RADAR_PANEL_OIDC_ISSUER": provider.address,
        "RADAR_PANEL_OIDC_CLIENT_ID": CLIENT,
        "RADAR_PANEL_OIDC_CLIENT_SECRET": SECRET,
    }
    server = start(tmp_path / "published", store.file, port, **environment)
    try:
        with chromium() as found:
            page = found.new_context().new_page()
            page.goto(f"{server.address}/quality")
            page.get_by_role("link", name="Sign in with").click()
            page.wait_for_url(f"{server.address}/quality")
            assert "ada@example.com" in page.locator(".who").inner_text()
            page.get_by_role("button", name="Sign out").click()
            page.wait_for_url("**/sign-in")
    finally:
        server.kill()
