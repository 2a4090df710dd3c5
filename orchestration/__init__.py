"""Everything that Dagster runs; `defs/` holds what it shows, the modules beside it how it is done."""
