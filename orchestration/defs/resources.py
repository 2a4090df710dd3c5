"""What steps share at run time."""

import dagster as dg

from orchestration.steps import WriterLock


@dg.definitions
def resources() -> dg.Definitions:
    """The writer's lock, held for as long as a run lasts; every run is one process, jobs or not."""
    return dg.Definitions(resources={"writer": WriterLock()}, executor=dg.in_process_executor)
