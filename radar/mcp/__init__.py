"""Where agents ask: read-only tools on the published copy, by the Model Context Protocol (`radar mcp`)."""
