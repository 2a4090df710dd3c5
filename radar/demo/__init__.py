"""The demo company: extracts of invented customers, with stories that the score can find, and honest dirt."""

from radar.demo.writing import generate

__all__ = ["generate"]
