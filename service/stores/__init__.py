"""What galleries and job stores share: transactions of SQLite, the way to Redis."""
