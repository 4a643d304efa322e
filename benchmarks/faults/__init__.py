"""Kills of server, worker and Redis under load, with an oracle that knows what was acknowledged.

`processes` starts and kills, `clients` makes the load, `oracle` judges, `kills` does one run, and `page`
writes the table of docs/reliability.md.
"""
