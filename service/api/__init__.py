"""The HTTP routes: one module for each resource, and what they share.

`uploads` reads requests with audio, `pipeline` embeds it, `problems` renders errors, `deps` hands parts
of the running service to routes.
"""
