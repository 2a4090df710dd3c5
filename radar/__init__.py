"""Radar: the command line and the library behind it. What decides when things run lives in `orchestration`."""
