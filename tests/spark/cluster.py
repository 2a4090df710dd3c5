"""A Spark of this machine alone: a master, two workers and a Spark Connect server, each a process.

Spark is that of the registry's pyspark, in an environment of its own; Java is the machine's. Nothing listens
on another address than 127.0.0.1.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
JAVA = "17"
MASTER = "org.apache.spark.deploy.master.Master"
WORKER = "org.apache.spark.deploy.worker.Worker"
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
SECONDS = 600
"""To wait for a process that starts."""


def java_home() -> Path:
    """The folder of Java 17. Raises RuntimeError with the remedy where there is none."""
    java = shutil.which("java")
    told = (
        subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr if java else ""
    )
    if f'version "{JAVA}' not in told:
        found = told.splitlines()[0] if told else "none"
        raise RuntimeError(
            f"Spark needs Java {JAVA} and `java` is {found}: apt-get install openjdk-{JAVA}-jre-headless"
        )
    return Path(str(java)).resolve().parents[1]


def spark_home(environment: Path) -> Path:
    """Where pyspark has Spark. Raises RuntimeError with the remedy where it is not installed."""
    homes = list(environment.glob("lib/python*/site-packages/pyspark"))
    if not homes:
        raise RuntimeError(f"pyspark is not in {environment}: make test-spark installs it")
    return homes[0]


def free_port() -> int:
    """One that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@dataclass
class Cluster:
    """The processes, and where they keep what they write. `tables` is the folder of the tables."""

    environment: Path
    folder: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def remote(self) -> str:
        """The address for clients."""
        return f"sc://{LOOPBACK}:{self.port}"

    @property
    def tables(self) -> Path:
        """Where Spark keeps its tables: `<schema>.db/<table>/`."""
        return self.folder / "tables"

    def start(self, name: str, command: list[str], memory: str) -> None:
        """Start one of its processes, with a log of its own, in a group of its own."""
        variables = {
            **os.environ,
            "JAVA_HOME": str(java_home()),
            "SPARK_HOME": str(spark_home(self.environment)),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_DAEMON_MEMORY": memory,
            "SPARK_SCALA_VERSION": "2.13",
            "PYSPARK_PYTHON": str(self.environment / "bin" / "python"),
        }
        with self._log(name) as log:
            self.processes[name] = subprocess.Popen(
                command, env=variables, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def _log(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.log").open("wb")

    def kill(self, name: str) -> None:
        """End a process and what it started, at once, as where a machine is lost."""
        os.killpg(self.processes.pop(name).pid, signal.SIGKILL)

    def tasks_by_worker(self) -> Counter[str]:
        """How many tasks the executors of each worker have ended, as Spark's event log has it."""
        workers = {path.name: path.parents[1].name for path in self.folder.glob("worker?/app-*/*")}
        counted: Counter[str] = Counter()
        for log in (self.folder / "events").iterdir():
            for line in log.read_text(encoding="utf-8").splitlines():
                if line.startswith('{"Event":"SparkListenerTaskEnd"') and line.endswith("}"):
                    counted[workers[json.loads(line)["Task Info"]["Executor ID"]]] += 1
        return counted


@contextmanager
def running_cluster(environment: Path, folder: Path) -> Iterator[Cluster]:
    """The cluster, ready; ended at the end. `environment`: the Python environment with pyspark.

    Raises RuntimeError where Java or pyspark is missing, or a process does not start in time.
    """
    home = spark_home(environment)
    cluster = Cluster(environment, folder, free_port())
    (folder / "events").mkdir(parents=True)
    master = free_port()
    run = str(home / "bin" / "spark-class")
    try:
        cluster.start(
            "master",
            [run, MASTER, "-h", LOOPBACK, "-p", str(master), "--webui-port", str(free_port())],
            "256m",
        )
        _wait_for(cluster, "master", master)
        for name in ("worker1", "worker2"):
            cluster.start(
                name,
                [
                    run, WORKER, "-h", LOOPBACK, "-c", "1", "-m", "1g", "-d", str(folder / name),
                    "--webui-port", str(free_port()), f"spark://{LOOPBACK}:{master}",
                ],
                "256m",
            )  # fmt: skip
        cluster.start("connect", _connect_command(cluster, home, master), "1g")
        _wait_for(cluster, "connect", cluster.port)
        yield cluster
    finally:
        for name in list(cluster.processes)[::-1]:
            cluster.kill(name)


def _connect_command(cluster: Cluster, home: Path, master: int) -> list[str]:
    settings = {
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": cluster.port,
        "spark.driver.host": LOOPBACK,
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.dir": (cluster.folder / "events").as_uri(),
        "spark.executor.cores": 1,
        "spark.executor.memory": "1g",
        "spark.cores.max": 2,
        "spark.network.timeout": "600s",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": 2,
        "spark.sql.warehouse.dir": cluster.tables.as_uri(),
        "spark.ui.enabled": "false",
    }
    chosen = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    return [
        str(home / "bin" / "spark-submit"),
        "--master", f"spark://{LOOPBACK}:{master}", "--driver-memory", "1g",
        *chosen, "--class", CONNECT, "spark-internal",
    ]  # fmt: skip


def _wait_for(cluster: Cluster, name: str, port: int) -> None:
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends and cluster.processes[name].poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.5)
    log = cluster.folder / f"{name}.log"
    raise RuntimeError(
        f"{name} of Spark did not start; its log ends:\n{log.read_text(errors='replace')[-2000:]}"
    )
