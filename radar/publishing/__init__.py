"""The copy that readers open: published by one rename, and an account explained from it."""
