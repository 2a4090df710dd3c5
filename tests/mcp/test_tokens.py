"""Who comes in: tokens unknown, expired, revoked or of a user who changed; and where requests come from."""

from __future__ import annotations

import time

from radar.panel import tokens, users
from radar.panel.store import Store
from tests.mcp.agents import Desk, post, refusal
from tests.panel.people import Owners
from tests.runs.radar_run import radar

NOT_VALID = "This token is not valid any more: radar panel users token NAME makes another one."


def expire(desk: Desk) -> None:
    with Store(desk.store).writing() as con:
        con.execute("update tokens set expires_at = ?", [int(time.time())])


def test_over_http_only_a_valid_token_comes_in(desk: Desk, owners: Owners) -> None:
    with desk.over_http() as port:
        valid = desk.add("rep", "rep", owners.rep)
        assert post(port, valid)[0] == 200
        assert post(port, None)[0] == 401
        assert post(port, "")[0] == 401
        assert post(port, valid[:-1])[0] == 401
        assert post(port, tokens.PREFIX + "a" * 43)[0] == 401
        assert post(port, None, Authorization=f"Basic {valid}")[0] == 401

        revoked = desk.token("rep")
        assert post(port, revoked)[0] == 200
        tokens.revoke(Store(desk.store), token_ids(desk)[-1])
        assert post(port, revoked)[0] == 401
        assert post(port, valid)[0] == 200, "the other token is still valid"

        users.change(Store(desk.store), "rep", disabled=True)
        assert post(port, valid)[0] == 401
        users.change(Store(desk.store), "rep", disabled=False)
        assert post(port, valid)[0] == 401, "sessions of before have ended, and tokens with them"

        again = desk.token("rep")
        assert post(port, again)[0] == 200
        expire(desk)
        status, message = post(port, again)
        assert status == 401
        assert again not in message


def test_over_http_requests_come_from_no_page_and_no_other_host(desk: Desk, rep: str) -> None:
    with desk.over_http() as port:
        assert post(port, rep, Host=f"127.0.0.1:{port}")[0] == 200
        assert post(port, rep, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")[0] == 200
        assert post(port, rep, Host="evil.example")[0] == 421
        assert post(port, rep, Host=f"evil.example:{port}")[0] == 421
        assert post(port, rep, Origin="https://evil.example")[0] == 403
        assert post(port, rep, Origin="null")[0] == 403
        assert post(port, rep, Origin=f"http://localhost:{port + 1}")[0] == 403
    with desk.over_http(RADAR_MCP_ORIGIN="https://mcp.example.com") as port:
        assert post(port, rep, Host="mcp.example.com")[0] == 200
        assert post(port, rep, Host="mcp.example.com", Origin="https://mcp.example.com")[0] == 200
        assert post(port, rep, Host="mcp.example.com", Origin="https://evil.example")[0] == 403


def test_over_stdio_a_token_ends_while_the_agent_is_connected(desk: Desk, rep: str) -> None:
    (answer,) = desk.ask(rep, ("rules", {}))
    assert not answer.is_error
    expire(desk)
    (answer,) = desk.ask(rep, ("rules", {}))
    assert refusal(answer) == NOT_VALID
    assert desk.calls() == [("rep", "rules", "answered", None)]


def test_the_server_does_not_start_without_a_valid_token(desk: Desk, rep: str) -> None:
    start = ("mcp", f"--published={desk.published}", f"--store={desk.store}")
    missing, unknown = (radar(*start, RADAR_MCP_TOKEN=token) for token in ("", "radar_mcp_unknown"))
    expire(desk)
    expired = radar(*start, RADAR_MCP_TOKEN=rep)
    for done, message in (
        (missing, "RADAR_MCP_TOKEN is not set"),
        (unknown, "the token in RADAR_MCP_TOKEN is not valid"),
        (expired, "the token in RADAR_MCP_TOKEN is not valid"),
    ):
        assert done.returncode == 2
        assert message in done.stderr
        assert done.stdout == ""
        assert rep not in done.stderr


def test_the_server_is_not_reached_from_elsewhere_without_an_origin(desk: Desk) -> None:
    done = radar("mcp", "--http", "--host=0.0.0.0", f"--published={desk.published}", f"--store={desk.store}")
    assert done.returncode == 2
    assert "tokens would travel in the clear" in done.stderr


def test_tokens_are_made_listed_and_revoked_by_commands(desk: Desk, owners: Owners) -> None:
    users.add(Store(desk.store), "ada", "rep", [owners.rep], None)
    store = f"--store={desk.store}"
    made = radar("panel", "users", "token", "ada", "--days=30", store)
    token = made.stdout.strip()
    caller = tokens.find(Store(desk.store), token)
    assert caller
    assert caller.person.name == "ada"
    assert made.stderr.startswith(f"Token {caller.token_id} of ada, valid until ")
    files = list(desk.store.parent.glob("panel.sqlite*"))
    assert len(files) > 1, "with what the log has that is written ahead"
    assert not any(token.encode() in file.read_bytes() for file in files)
    listed = radar("panel", "users", "tokens", store).stdout
    assert listed.startswith(f"{caller.token_id}  ada  valid until ")
    assert token not in listed
    revoked = radar("panel", "users", "revoke-token", caller.token_id, store)
    assert revoked.stdout == f"The token {caller.token_id} of ada is revoked.\n"
    assert tokens.find(Store(desk.store), token) is None
    assert "revoked on" in radar("panel", "users", "tokens", store).stdout
    for wrong in (
        ("token", "nobody"),
        ("token", "ada", "--days=0"),
        ("token", "ada", "--days=367"),
        ("revoke-token", caller.token_id),
        ("revoke-token", "none"),
    ):
        assert radar("panel", "users", *wrong, store).returncode == 2, wrong


def token_ids(desk: Desk) -> list[str]:
    rows = Store(desk.store).con.execute("select token_id from tokens order by rowid")
    return [row["token_id"] for row in rows]
