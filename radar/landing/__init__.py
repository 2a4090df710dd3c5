"""Files of the extracts folder -> `raw.*`: the feed contract as data, reading, casting, quarantine."""
