"""The audit trail: the chained entries, the ledger of deliveries and the journal of what was sent."""
