"""Who spoke when, measured: `conversations` makes recordings, `errors` compares, `page` writes the table."""
