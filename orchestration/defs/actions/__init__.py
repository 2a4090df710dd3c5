"""Alerts, tasks and mails handed to people: delivered after publishing, and tried again."""
