"""The verbs of the command line that talk to a running service."""

from service.client.commands import register

__all__ = ["register"]
