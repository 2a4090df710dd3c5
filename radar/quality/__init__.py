"""The suites that new rows must pass (`<source>_<feed>.yml`) and what runs them on the warehouse."""
