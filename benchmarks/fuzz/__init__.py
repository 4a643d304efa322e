"""Requests and recordings by the thousand, made at random, against a running service.

`requests` makes requests from the OpenAPI document and follows its links, `recordings` damages audio files,
`tally` counts the answers, `place` starts the service, and `page` writes the counts down.
"""
