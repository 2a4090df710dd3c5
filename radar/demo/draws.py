"""Chance that depends on nothing but its keys: not on the process, the clock, or the order of the work.

Plain Python draws from the Mersenne Twister's `random()`, whose sequence is the same in every version; arrays
are hashed (splitmix64), so a value belongs to its account and day and not to the chunk that it was made in.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T")
Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mix(*keys: int) -> int:
    """One 64-bit number for the keys: the scalar twin of `uniform`."""
    state = 0
    for key in keys:
        state = ((state ^ (key & _MASK)) + _STEP) & _MASK
        state = ((state ^ (state >> 30)) * _FIRST) & _MASK
        state = ((state ^ (state >> 27)) * _SECOND) & _MASK
        state ^= state >> 31
    return state


def uniform(seed: int, stream: int, *keys: npt.NDArray[Any]) -> Reals:
    """Numbers in [0, 1) for the keys, which are broadcast against each other."""
    state: npt.NDArray[np.uint64] = np.full(1, mix(seed, stream), dtype=np.uint64)
    for key in keys:
        state = (state ^ key.astype(np.uint64)) + np.uint64(_STEP)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
        state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def poisson(mean: Reals, chance: Reals) -> Integers:
    """Poisson counts by inversion of `chance`, which has the shape of `mean` (means up to about 30)."""
    term = np.exp(-mean)
    total = term.copy()
    counts = np.zeros(mean.shape, dtype=np.int64)
    for step in range(1, 80):
        above = chance > total
        if not above.any():
            break
        counts += above
        term = term * mean / step
        total = total + term
    return counts


class Draws:
    """Random draws of one account and topic."""

    __slots__ = ("_draw",)

    def __init__(self, *keys: int) -> None:
        """The keys name the draws: seed, topic, account."""
        self._draw = random.Random(mix(*keys)).random  # noqa: S311 - invented data, no secret

    def real(self, low: float, high: float) -> float:
        """A number from low up to, not including, high."""
        return low + (high - low) * self._draw()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int((high - low + 1) * self._draw())

    def chance(self, share: float) -> bool:
        """True in `share` of the draws."""
        return self._draw() < share

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(len(items) * self._draw())]

    def weighted(self, items: Sequence[tuple[T, int]]) -> T:
        """One of the items, by their whole-number weights."""
        left = int(sum(weight for _, weight in items) * self._draw())
        for item, weight in items:
            left -= weight
            if left < 0:
                return item
        return items[-1][0]
