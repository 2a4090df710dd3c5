"""Sets up the folder of a company from files that it has: `radar init`."""
