"""The service at the limit of what it can: for long (`soak`), and beyond it (`overload`).

`traffic` sends and times requests, `vitals` looks at the processes, `page` writes into docs/reliability.md.
"""
