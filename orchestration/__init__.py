"""Everything that Dagster runs; `defs/` has what it shows, the other modules how it is done."""
