"""Approvals: play by play, with texts to change, many at once."""

from __future__ import annotations

import json
import re
from html import unescape

from starlette.applications import Starlette
from starlette.testclient import TestClient

from radar.landing.decision_feed import write_decision_feed
from radar.panel import decisions
from tests.panel.conftest import ClientAs

FIELD = re.compile(r'name="(form_key|form_token|play|page|subject-\d+)" value="([^"]*)"')


def form_of(page: str) -> dict[str, str]:
    """The fields of a page of approvals as a browser sends them, with nothing selected."""
    form = page.partition('class="approvals"')[2].partition("</form>")[0]
    texts = re.findall(r'name="(text-\d+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    return {name: unescape(value) for name, value in FIELD.findall(form)} | {
        name: unescape(text).replace("\n", "\r\n") for name, text in texts
    }


def boxes_of(page: str) -> dict[str, str]:
    """What selects each row."""
    return {name: unescape(value) for name, value in re.findall(r'name="(chosen-\d+)" value="([^"]*)"', page)}


def with_drafts(client: TestClient) -> str:
    """The page of the first play whose mails can be written."""
    plays = re.findall(r'href="(/approvals\?play=[^"&]+)"', client.get("/approvals").text)
    return next(page for page in (client.get(play).text for play in plays) if 'name="text-0"' in page)


def handed_over(app: Starlette) -> list[dict[str, str]]:
    folder = app.state.store.file.parent / "handed_over"
    write_decision_feed(app.state.store.file, folder)
    (file,) = folder.rglob("reviews/*.ndjson")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_many_are_approved_at_once_and_can_be_undone(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("admin")
    page = with_drafts(client)
    boxes = boxes_of(page)
    assert len(boxes) > 1
    form = {**form_of(page), **boxes, "verdict": "approved"}
    answer = client.post("/approvals", data=form)
    assert answer.status_code == 303, answer.text
    after = client.get(answer.headers["location"]).text
    assert f"{len(boxes)} answered." in after
    assert not set(boxes.values()) & set(boxes_of(after).values())
    reviews = handed_over(app)
    assert {one["action_id"] for one in reviews} == {json.loads(box)["action"] for box in boxes.values()}
    assert {one["verdict"] for one in reviews} == {"approved"}
    assert not any("edited_text" in one for one in reviews), "nothing was changed"

    again = client.get(client.post("/approvals", data=form).headers["location"]).text
    assert "0 answered" in again
    assert len(handed_over(app)) == len(boxes), "a form counts once"

    undo = after[: after.index("Undo<")].rpartition("<form")[2]
    (address,) = re.findall(r'action="([^"]+)"', undo)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo))
    assert client.post(address, data=fields).status_code == 303
    assert sum("is_deleted" in one for one in handed_over(app)) == 1


def test_an_edited_text_is_handed_over_next_to_the_draft(app: Starlette, client_as: ClientAs) -> None:
    client = client_as("admin")
    page = with_drafts(client)
    form = form_of(page)
    before, subject = form["text-0"].replace("\r\n", "\n"), form["subject-0"]
    form |= {"chosen-0": boxes_of(page)["chosen-0"], "verdict": "approved"}
    form["text-0"] = "Hello [first name],\r\n\r\nmine\x07 alone.\r\n"
    again = client.post("/approvals", data={**form, "subject-0": "  "})
    assert again.status_code == 422
    assert "mine alone" in again.text.replace("\x07", ""), "what was written is not lost"
    assert client.post("/approvals", data=form).status_code == 303
    (review,) = handed_over(app)
    assert review["edited_text"] == "Hello [first name],\n\nmine alone."
    assert review["edited_subject"] == subject
    assert review["draft_text"].strip() == f"{subject}\n\n{before}".strip()
    (one,) = decisions.of_account(app.state.store, review["account_id"])
    assert one.text == "Draft approved, with another text"


def test_what_somebody_decided_meanwhile_is_left_alone(app: Starlette, client_as: ClientAs) -> None:
    client, other = client_as("admin"), client_as("admin")
    page = with_drafts(client)
    form = {**form_of(page), "chosen-0": boxes_of(page)["chosen-0"], "verdict": "approved"}
    theirs = form_of(other.get(f"/approvals?play={form['play']}").text)
    dropped = {**theirs, "chosen-0": form["chosen-0"], "verdict": "dropped"}
    assert other.post("/approvals", data=dropped).status_code == 303
    after = client.get(client.post("/approvals", data=form).headers["location"]).text
    assert "0 answered; 1 left alone" in after
    assert [one["verdict"] for one in handed_over(app)] == ["dropped"]


def test_nobody_approves_for_accounts_that_they_do_not_see(app: Starlette, client_as: ClientAs) -> None:
    boxes = boxes_of(with_drafts(client_as("admin"))).values()
    rep = client_as("rep")
    foreign = [box for box in boxes if rep.get(f"/accounts/{json.loads(box)['account']}").status_code == 404]
    assert foreign
    assert not set(foreign) & set(boxes_of(rep.get("/approvals").text).values())
    (key, *_) = re.findall(r'name="form_key" value="([^"]+)"', rep.get("/").text)
    form = {
        "form_key": key,
        "form_token": decisions.new_token(),
        "chosen-0": foreign[0],
        "verdict": "approved",
    }
    answer = rep.post("/approvals", data=form)
    assert answer.status_code == 303
    assert "done=0&left=1" in answer.headers["location"]
    assert not app.state.store.con.execute("select 1 from decisions").fetchone()


def test_a_broken_choice_is_no_error_of_ours(client_as: ClientAs) -> None:
    client = client_as("admin")
    form = {**form_of(with_drafts(client)), "verdict": "approved"}
    for chosen in ("", "[]", "{}", '{"account": 1, "action": 2, "as_of": 3, "seen": "x"}', "[" * 20_000):
        assert client.post("/approvals", data={**form, "chosen-0": chosen}).status_code == 422, chosen[:20]
    assert client.post("/approvals", data=form).status_code == 422
    assert client.post("/approvals", data={**form, "verdict": "sent"}).status_code == 422
