"""Where deliveries go: one module per destination. A vendor's client is imported only when it is used."""
