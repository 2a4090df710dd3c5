from __future__ import annotations

from collections.abc import Iterator

import pytest
from written_demo import END, Demo, open_demo

from radar.demo import generate


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The company that `radar demo` writes by default, up to a fixed day."""
    folder = tmp_path_factory.mktemp("demo") / "extracts"
    company = open_demo(folder, generate(folder, end=END))
    yield company
    company.con.close()
