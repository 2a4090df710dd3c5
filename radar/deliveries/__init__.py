"""Actions handed to people: alerts, tasks and mail drafts, one for each action, and what became of them."""
