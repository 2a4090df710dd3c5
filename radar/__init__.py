"""Radar: the command line and the library behind it. When things run is decided in `orchestration`."""
