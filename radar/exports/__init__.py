"""Files for the tools that act on the scores: destinations as data, and the writer that reads them."""
