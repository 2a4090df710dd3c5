"""From files to raw tables, checked."""
