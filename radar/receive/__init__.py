"""Takes in what other systems post, and puts it into the extracts folder as files."""
