"""The command line's client verbs: they talk to a running service."""

from service.client.commands import register

__all__ = ["register"]
