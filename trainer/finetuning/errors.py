"""What fine-tuning can end with, beside a new version."""

from __future__ import annotations


class FinetuneError(Exception):
    """Audio or a parent that cannot be fine-tuned with; the message says why and what to do."""


class Canceled(Exception):
    """The caller asked to stop; the work folder can be resumed from, or deleted."""
