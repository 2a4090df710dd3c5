"""A run of which nothing is kept runs as any other."""

from collections.abc import Iterator
from uuid import uuid4

import dagster as dg
import pytest

from orchestration.unrecorded import unrecorded

PARTITIONS = dg.DailyPartitionsDefinition(start_date="2026-01-01")
Result = dg.MaterializeResult[None] | dg.AssetCheckResult


def definitions(*, passes: bool) -> dg.Definitions:
    """One asset that another one reads, and whose check holds that one back where it fails."""

    @dg.asset(
        check_specs=[dg.AssetCheckSpec("sound", asset="first", blocking=True)], partitions_def=PARTITIONS
    )
    def first(context: dg.AssetExecutionContext) -> Iterator[Result]:
        if not context.retry_number:
            raise dg.RetryRequested(max_retries=1)
        yield dg.MaterializeResult(metadata={"dagster/row_count": 3})
        yield dg.AssetCheckResult(passed=passes)

    @dg.asset(deps=[first], partitions_def=PARTITIONS)
    def second() -> None: ...

    return dg.Definitions(
        [first, second], jobs=[dg.define_asset_job("all", executor_def=dg.in_process_executor)]
    )


@pytest.mark.parametrize("passes", [True, False])
@pytest.mark.parametrize("make", [dg.DagsterInstance.ephemeral, unrecorded])
def test_it_goes_as_with_a_record_of_events(make: type, passes: bool) -> None:
    run_id = str(uuid4())
    job = definitions(passes=passes).resolve_job_def("all")
    with make() as instance:
        result = job.execute_in_process(
            instance=instance, run_id=run_id, partition_key="2026-02-03", raise_on_error=False
        )
        stored = instance.all_logs(run_id)
    assert result.success is passes
    assert bool(stored) is (make is not unrecorded)
    made = [event.asset_key.path[0] for event in result.get_asset_materialization_events() if event.asset_key]
    assert made == (["first", "second"] if passes else ["first"])
    (check,) = result.get_asset_check_evaluations()
    assert check.passed is passes
    assert len(result.filter_events(lambda event: event.is_step_up_for_retry)) == 1
