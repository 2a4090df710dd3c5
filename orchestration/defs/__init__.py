"""What Dagster loads: a folder for each concept."""
