"""dbt, run inside this process: where it works, what it is asked to do, and what each node came to.

The project is not copied: `<state>/project` holds links to the parts of `dbt_project/`, so that its
`../seeds` is the folder of reference data in use. (Seed paths that are absolute, or climb further, let dbt
write its rendered SQL over the seed files themselves.) Nothing here knows Dagster.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import queue
import re
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.factory import get_adapter_by_type
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from orchestration import order, parsed
from radar.core.errors import CheckError, RadarError, WarehouseError
from radar.core.masking import masked
from radar.core.settings import PROJECT
from radar.core.state_files import replace_file
from radar.core.terminal import inert_value
from radar.core.warehouse import MEMORY_LIMIT, explain_duckdb_error, readable_os_errors, state_dir
from radar.rules.checks import gather

OUTPUT = ("--quiet", "--no-print", "--log-level", "none", "--log-level-file", "info", "--no-use-colors")
TABLES = ("table", "incremental", "seed", "snapshot")
STORAGE_TROUBLE = re.compile(
    r"[Cc]onflicting lock|Could not set lock|No space left|disk full|not a valid DuckDB"
)
WORKER = "dbt"
MOST_LINES = 5
"""Lines of an error of dbt's that are shown; the log has all of them."""
_NAMED_FILE = re.compile(r"^\s*[\w ]+ Error in \w+ \S+ \(([^()]+)\)", re.MULTILINE)
_AROUND = re.compile(
    r"\s*(?:(?:Database|Compilation|Runtime|Parsing|Dependency) Error(?: in |\s*$)|compiled (?:code|SQL) at )"
)
_MAY_QUOTE_A_VALUE = re.compile(
    r"(?:Conversion|Invalid Input|Constraint|Out of Range|Mismatch Type|Serialization) Error"
)
_QUOTED = re.compile(r"(['\"]).*\1")
_SOURCE_LINE = re.compile(r"\s*(?:LINE \d+:|\^)")
_MANIFEST, _FINGERPRINT = "manifest.json", "fingerprint.txt"


@dataclass(frozen=True)
class Place:
    """Where dbt works for one warehouse."""

    warehouse: Path
    project: Path
    target: Path
    logs: Path

    @property
    def manifest(self) -> Path:
        """The manifest of the newest parse."""
        return self.target / _MANIFEST

    def paths(self) -> list[str]:
        """The options that name these folders."""
        return [
            "--project-dir", str(self.project),
            "--profiles-dir", str(self.project),
            "--target-path", str(self.target),
            "--log-path", str(self.logs),
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The variables that the profile reads, always the same for one warehouse."""
        return {
            "RADAR_WAREHOUSE": str(self.warehouse),
            "RADAR_MEMORY_LIMIT": MEMORY_LIMIT,
            "RADAR_SPILL": str(state_dir(self.warehouse) / "spill"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        }


_parsed: dict[Place, tuple[str, Manifest]] = {}
"""What this process has parsed itself, with its fingerprint, until a build takes it and changes it."""


@dataclass(frozen=True)
class NodeResult:
    """What became of one node. `rows` is known of tables only; `failures` of tests only."""

    unique_id: str
    status: str
    seconds: float
    failures: int | None
    message: str
    rows: int | None

    @property
    def ok(self) -> bool:
        """Built, or passed."""
        return self.status in ("success", "pass")


def prepare(warehouse: Path, seeds: Path) -> Place:
    """Bring the reference data in use, the project's links and dbt's manifest up to date.

    Parsing is skipped where it was done for the same files, also for another warehouse of the same name.
    Raises RadarError.
    """
    state = state_dir(warehouse)
    gather_seeds(warehouse, seeds)
    place = Place(warehouse, state / "project", state / "dbt", state / "logs")
    with readable_os_errors(state):
        _link_project(place.project)
        place.target.mkdir(exist_ok=True)
        fingerprint = _fingerprint(place)
        recorded = place.target / _FINGERPRINT
        if not (
            place.manifest.exists() and recorded.exists() and recorded.read_bytes() == fingerprint.encode()
        ):
            recorded.unlink(missing_ok=True)
            if not parsed.write_json(fingerprint, place.project, place.manifest):
                _parsed[place] = (fingerprint, _parse(place))
                parsed.keep(*_parsed[place], place.manifest)
            replace_file(recorded, fingerprint)
    return place


def gather_seeds(warehouse: Path, seeds: Path) -> Path:
    """The reference data in use, always at the same place for one warehouse."""
    folder = state_dir(warehouse) / "seeds"
    with readable_os_errors(folder):
        return gather(seeds, folder)


def _link_project(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        path.name: path
        for path in (PROJECT / "dbt_project").iterdir()
        if path.name not in ("target", "logs", "dbt_packages") and not path.name.startswith(".")
    }
    for link in folder.iterdir():
        if link.is_symlink() and (link.name not in parts or link.readlink() != parts[link.name]):
            link.unlink()
    for name, path in parts.items():
        if not (folder / name).is_symlink():
            _remove(folder / name)  # a backup that followed links has a copy here
            (folder / name).symlink_to(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _fingerprint(place: Place) -> str:
    """Changes with every file that dbt parses, with dbt itself, and with the name that tables stand under."""
    versions = [version(package) for package in ("dbt-core", "dbt-adapters", "dbt-duckdb")]
    digest = hashlib.sha256(json.dumps([*versions, place.warehouse.stem]).encode())
    for root in (place.project, place.project.with_name("seeds")):
        for folder, folders, names in os.walk(root, followlinks=True):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            for name in sorted(names):
                path = Path(folder, name)
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{path.relative_to(root.parent).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()


def _parse(place: Place) -> Manifest:
    with _environment(place):
        result = dbtRunner().invoke([*OUTPUT, "parse", *place.paths()])
    if not result.success:
        raise _explain_text(place, "dbt cannot read the project", str(result.exception))
    return cast(Manifest, result.result)


def build_arguments(place: Place, select: Sequence[str] = ()) -> list[str]:
    """dbt's command line. Unit tests are left out: they prove the code, not the day, and run in the tests.

    So are dbt's own reports as JSON: nobody reads them, and writing them keeps what follows waiting.

    `select` names nodes; empty means all. Of tests, only those whose every model is selected then run.
    """
    chosen = ["--indirect-selection", "buildable", "--select", *select] if select else []
    left_out = ["--no-write-json", "--exclude-resource-type", "unit_test"]
    return [*OUTPUT, "build", *place.paths(), "--threads", str(order.THREADS), *left_out, *chosen]


def build(place: Place, select: Sequence[str] = ()) -> Iterator[NodeResult]:
    """Run the build and yield every node as it finishes. The warehouse is free again at the end.

    Raises RadarError after the last node where one failed; the nodes behind it were then skipped.
    """
    events: queue.SimpleQueue[NodeResult | dbtRunnerResult] = queue.SimpleQueue()
    relations = _tables(json.loads(place.manifest.read_bytes()))
    manifest = _taken(place)

    def work() -> None:
        runner = dbtRunner(manifest, callbacks=[lambda event: _take(event, events)])
        with _environment(place):
            events.put(runner.invoke(build_arguments(place, select)))

    worker = threading.Thread(target=work, name=WORKER, daemon=True)
    worker.start()
    results: list[NodeResult] = []
    try:
        while isinstance(event := events.get(), NodeResult):
            result = _with_rows(event, relations)
            results.append(result)
            yield result
    finally:
        worker.join(1)
        stop()
    if not event.success:
        raise explain(place, results, event.exception)


def stop() -> None:
    """Cancel whatever dbt still runs, wait for its end, and release the warehouse.

    A build that was interrupted between two results is left where it stands; its queries would go on, and the
    process could not end in peace.
    """
    for worker in threading.enumerate():
        while worker.name == WORKER and worker.is_alive():
            get_adapter_by_type("duckdb").cancel_open_connections()  # type: ignore[no-untyped-call]
            worker.join(0.1)
    DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]


atexit.register(stop)
order.install()


def _taken(place: Place) -> Manifest | None:
    """What a build starts from; dbt looks at the files itself where there is none."""
    fingerprint = _fingerprint(place)
    known, manifest = _parsed.pop(place, ("", None))
    return manifest if known == fingerprint else parsed.load(fingerprint, place.project)


def _take(event: Any, events: queue.SimpleQueue[Any]) -> None:
    """Called by dbt, in its threads, for everything that it logs."""
    if event.info.name == "NodeFinished":
        node, run = event.data.node_info, event.data.run_result
        failures = int(run.num_failures) if node.resource_type == "test" else None
        seconds = _seconds(node.node_started_at, node.node_finished_at)
        events.put(NodeResult(node.unique_id, node.node_status, seconds, failures, run.message, None))


def _seconds(started: str, finished: str) -> float:
    if not (started and finished):
        return 0.0
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()


def _tables(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {
        unique_id: node["relation_name"]
        for unique_id, node in manifest["nodes"].items()
        if node["config"].get("materialized") in TABLES and node.get("relation_name")
    }


def _with_rows(result: NodeResult, relations: Mapping[str, str]) -> NodeResult:
    """The result with the rows of its table, counted through the connection that dbt holds open."""
    relation = relations.get(result.unique_id)
    if relation is None or not result.ok:
        return result
    handle = DuckDBConnectionManager.env().handle()  # type: ignore[no-untyped-call]
    try:
        rows = handle.cursor().execute(f"SELECT count(*) FROM {relation}").fetchone()[0]
    finally:
        handle.close()
    return NodeResult(result.unique_id, result.status, result.seconds, result.failures, result.message, rows)


@contextmanager
def _environment(place: Place) -> Iterator[None]:
    """dbt copies the variables when it is called; the place's own stand there only for that call."""
    before = {name: os.environ.get(name) for name in place.environment()}
    os.environ.update(place.environment())
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def explain(place: Place, results: Sequence[NodeResult], exception: BaseException | None) -> RadarError:
    """The user's version of a build that failed: the first node that did, and how many others."""
    if exception is not None:
        return _explain_text(place, "dbt could not build", str(exception))
    broken = [result for result in results if result.status in ("error", "runtime error")]
    if broken:
        kind, name = _name(broken[0].unique_id)
        return _explain_text(place, f"the {kind} {name} could not be built", broken[0].message)
    failed = [_name(result.unique_id)[1] for result in results if result.status == "fail"]
    others = f" and {len(failed) - 1} others" if len(failed) > 1 else ""
    rows = next((result.failures for result in results if result.status == "fail"), 0)
    return CheckError(
        f"the check {failed[0] if failed else 'of a table'} failed ({rows} rows){others}",
        f"see the rows with its query in {place.target / 'compiled'}; nothing was published",
    )


def _name(unique_id: str) -> tuple[str, str]:
    kind, _, name = unique_id.split(".")[:3]
    return kind, name


def _explain_text(place: Place, problem: str, text: str) -> RadarError:
    if STORAGE_TROUBLE.search(text):
        return explain_duckdb_error(place.warehouse, text)
    if "Out of Memory" in text:
        return WarehouseError(
            f"{problem}: DuckDB needs more than its {MEMORY_LIMIT} of memory",
            "set RADAR_MEMORY_LIMIT (for example 4GB) and run again",
            file=place.warehouse,
        )
    file, lines = _lines_that_matter(text)
    where = f" ({file})" if file else ""
    return RadarError(
        f"{problem}{where}: {f'{chr(10)}    '.join(lines)}", f"the log says more: {place.logs / 'dbt.log'}"
    )


def _lines_that_matter(text: str) -> tuple[str, list[str]]:
    """The file that dbt names, and what the database or dbt says first, without values of customers.

    dbt opens with the kind of error, the node and its file, and ends with where the compiled code is.
    """
    named = _NAMED_FILE.search(text)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    wordy = [line for line in lines if not _AROUND.match(line)] or lines or ["no reason given"]
    if _MAY_QUOTE_A_VALUE.search(text):
        wordy = [_QUOTED.sub(r"\1***\1", line) for line in wordy if not _SOURCE_LINE.match(line)]
    first, *others = [inert_value(masked(line)) for line in wordy[:MOST_LINES]]
    file = (named[1] if named else "").removeprefix("../")
    if file and not file.startswith("seeds/"):
        file = f"dbt_project/{file}"
    return file, [first.strip(), *others]
