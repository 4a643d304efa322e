"""What the gallery and the job store share: a SQLite file, and the connection to Redis."""
