"""Which packages are here, without importing them."""

from __future__ import annotations

import importlib.util


def installed(name: str) -> bool:
    """Whether a module can be imported, given by its full name."""
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # a package that it is in
        return False
