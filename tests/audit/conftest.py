"""Every test makes its keys itself."""

from __future__ import annotations

import pytest

from radar.audit.chain import KEY_VARIABLE


@pytest.fixture(autouse=True)
def _no_key_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
