"""The manifest of a set: which run it shows, and its files with their sizes and columns."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

from radar.core.state_files import replace_file
from radar.publishing.build_file import Built
from radar.publishing.contents import PARQUET
from radar.publishing.file_set import COPY_NAME, sync


def write_manifest(folder: Path, run_id: str, as_of: date, built: Built) -> None:
    """Write the manifest of a set whose other files are there, and have all of them on the disk."""
    contents = built.contents
    copy = folder / COPY_NAME
    files: list[dict[str, Any]] = [{"name": COPY_NAME, "bytes": copy.stat().st_size}]
    columns = {relation.key: [column.name for column in relation.columns] for relation in contents.relations}
    for key in PARQUET:
        file = folder / "parquet" / f"{key.split('.')[1]}.parquet"
        files.append(
            {
                "name": f"parquet/{file.name}",
                "rows": built.parquet_rows[key],
                "bytes": file.stat().st_size,
                "sha256": _sha256(file),
                "columns": columns[key],
            }
        )
    manifest = {
        "run_id": run_id,
        "as_of_date": as_of.isoformat(),
        "files": files,
        "tables": built.rows,
        "views": [view.key for view, _ in contents.views],
    }
    replace_file(folder / "manifest.json", json.dumps(manifest, indent=2) + "\n")
    for path in sorted(folder.rglob("*"), reverse=True):
        sync(path)
    sync(folder)


def published_run(published: Path) -> str:
    """The run id of the current set; empty where there is none."""
    try:
        manifest = json.loads((published / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest["run_id"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return ""


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
