"""Fetches what vendors' APIs and databases have, and puts it into the extracts folder as files."""
