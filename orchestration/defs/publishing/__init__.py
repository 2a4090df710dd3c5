"""The copy for readers."""
