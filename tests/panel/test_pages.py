from __future__ import annotations

import pytest

from tests.panel.conftest import ClientAs

PAGES = ("/", "/portfolio", "/quality", "/links", "/rules", "/audit")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_whoever_is_signed_in_and_sends_others_to_sign_in(
    client_as: ClientAs, path: str
) -> None:
    for name in ("rep", "lead", "admin"):
        assert client_as(name).get(path).status_code == 200
    answer = client_as(None).get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
