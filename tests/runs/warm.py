"""The command line in processes that are forked from one which has imported the libraries already.

Importing Dagster, dbt and Great Expectations is a sixth of what a run of a small company costs. What is
loaded before is other people's code only: Radar's own modules are imported in each process, with its
environment. It is otherwise a process like any other: own memory, own locks, own exit status. Tests that kill
a run, or that are about the start of the program, start the script itself (`RADAR`).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

LIBRARIES = [
    "argon2",
    "dagster",
    "dagster_dbt",
    "dbt.adapters.duckdb",
    "dbt.cli.main",
    "dbt.task.build",
    "duckdb",
    "great_expectations",
    "pandas",
    "pyarrow.parquet",
    "pydantic_settings",
    "sqlalchemy.dialects.sqlite",
    "typer",
]

os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # Great Expectations reads it when it is imported


@cache
def _forking() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    return context


def call(
    command: Sequence[str], environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """What `subprocess.run` would answer for the script `radar` with its arguments."""
    with tempfile.TemporaryDirectory(prefix="radar-test-") as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _forking().Process(target=_main, args=(command, dict(environment), os.getcwd(), out, err))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(list(command), timeout)
        return subprocess.CompletedProcess(
            list(command), process.exitcode, out.read_text("utf-8"), err.read_text("utf-8")
        )


def _main(command: Sequence[str], environment: Mapping[str, str], folder: str, out: Path, err: Path) -> None:
    """What the script does. Runs in the forked process."""
    for path, number in ((out, 1), (err, 2)):
        target = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(target, number)
        os.close(target)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = list(command)
    from radar.cli.main import main  # noqa: PLC0415  with this environment

    main()
