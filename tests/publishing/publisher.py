"""A run in a process of its own: builds all ten days again and publishes them, over and over.

Arguments: warehouse, published folder, first run number, how many.
"""

import sys
from datetime import timedelta
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import small_warehouse
from small_warehouse import FIRST, LAST

from radar.publishing.published_copy import publish
from radar.publishing.windows import announce_window

MIDDLE = FIRST + timedelta(days=4)


def main(
    warehouse: Path, published: Path, first: int, count: int, done: "Synchronized[int] | None" = None
) -> None:
    """The days come in two windows, so that they are replaced one by one and not with the whole table."""
    for run in range(first, first + count):
        small_warehouse.build(warehouse, FIRST, LAST, run=run)
        announce_window(warehouse, as_of_start=FIRST, as_of_end=MIDDLE)
        publish(warehouse, published, run_id=str(run), as_of_start=MIDDLE, as_of_end=LAST)
        if done:
            done.value = run


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
