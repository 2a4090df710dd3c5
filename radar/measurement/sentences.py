"""What a backtest found, in sentences and tables for a terminal."""

from __future__ import annotations

from radar.measurement.backtest import Backtest


def text(done: Backtest) -> str:
    return ""
