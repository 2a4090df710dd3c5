"""A second reading of the contract in plain Python: what the warehouse's SQL is held against."""
