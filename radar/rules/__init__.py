"""The reference data in `seeds/`: gathered, checked, and shown as a page. What a rule means is SQL."""
