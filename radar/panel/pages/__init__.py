"""One module a page: `routes`, and what it shows."""
