"""Vendors that a run pulls before it lands."""
