"""A Postgres of Debian's package, started for the tests on a free port of this machine alone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "hunter2-of-the-test"


def binaries() -> Path:
    """Where the server's programs are; without them the test is left out by name, and fails where CI runs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    if os.environ.get("CI") == "true":
        pytest.fail("Debian's package postgresql is missing, and reading from Postgres was not tried")
    pytest.skip("Debian's package postgresql is not there: reading from Postgres is left out")


@dataclass
class Postgres:
    """A server with a database `app` and a role `radar`, which may read what it is granted."""

    folder: Path
    programs: Path
    port: int

    @property
    def connection(self) -> str:
        return f"host=127.0.0.1 port={self.port} dbname=app user=radar password={PASSWORD}"

    def sql(self, *statements: str, database: str = "app") -> str:
        """As the owner."""
        options = [item for one in statements for item in ("-c", one)]
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder), "-p", str(self.port)]
        done = subprocess.run(
            [*command, "-U", "owner", "-d", database, *options], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def control(self, *options: str) -> None:
        """pg_ctl, as a user that is not root: Postgres refuses to run as that."""
        command = [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-w", *options]
        done = subprocess.run(
            [*_as_postgres(), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            cwd="/",
        )
        log = self.folder / "log"
        assert done.returncode == 0, log.read_text() if log.exists() else "it does not start"

    def start(self) -> None:
        where = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self.control("-o", where, "-l", str(self.folder / "log"), "start")

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")


def _as_postgres() -> list[str]:
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


@contextmanager
def postgres() -> Iterator[Postgres]:
    """The server, stopped and gone afterwards. Its folder is short: so must the name of its socket be."""
    programs = binaries()
    folder = Path(f"/tmp/radar-postgres-{os.getpid()}")
    folder.mkdir()
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        trust = folder / "hba"
        trust.write_text("local all owner trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        subprocess.run(
            [*_as_postgres(), str(programs / "initdb"), "-D", str(folder / "data"), "-U", "owner",
             "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, cwd="/",
        )  # fmt: skip
        shutil.copyfile(trust, folder / "data" / "pg_hba.conf")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = Postgres(folder, programs, port)
        server.start()
        try:
            server.sql("create database app", database="postgres")
            server.sql(f"create role radar login password '{PASSWORD}'")
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
