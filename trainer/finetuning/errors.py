"""How fine-tuning ends without a new version."""

from __future__ import annotations


class FinetuneError(Exception):
    """The audio or the parent cannot be used; the message says why and what to do."""


class Canceled(Exception):
    """The caller asked to stop. A later call can go on from the work folder, or it can be deleted."""
