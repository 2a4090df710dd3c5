"""Radar: the command line and the library behind it. When things run is decided in `orchestration`."""

__version__ = "0.1.0"

DISTRIBUTION = "radar-customer-health"
"""What the package is called where packages are installed from; `radar` alone is a stranger's there."""
