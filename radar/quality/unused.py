"""What Great Expectations imports and no suite here uses: statistics of scipy, charts of altair; two seconds.

Import Great Expectations inside `postponed()`: it is then given stand-ins, each of which imports the real
module when something of it is first used. Everybody else gets the real modules as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_UNUSED = ("scipy", "scipy.stats", "altair")


@contextmanager
def postponed() -> Iterator[None]:
    """Stand-ins for those that are not imported yet, to whoever imports them meanwhile."""
    made = {name: _Later(name) for name in _UNUSED if name not in sys.modules}
    for name, module in made.items():
        folder, _, last = name.rpartition(".")
        if folder in made:
            setattr(made[folder], last, module)
    sys.modules.update(made)
    try:
        yield
    finally:
        for name, module in made.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


class _Later(ModuleType):
    """Stands in for the module of its name."""

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # asked by the import system, not by code that uses the module
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), attribute)
