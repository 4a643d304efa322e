"""Environment variables that look like settings and are none: a misspelt one would silently do nothing."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable

from dotenv import dotenv_values

from service.settings import Settings

_PREFIX = "TWOFOLD_"
_KNOWN = frozenset(name.upper() for name in Settings.model_fields) | {
    "DATA"
}  # DATA: trainer, benchmarks, tests
# Left unset by a slip of the pen, they leave the service open, or recordings in clear.
_SECURITY = frozenset(
    ("API_KEYS", "KEYS_FILE", "AUDIO_KEY", "TRUSTED_HOSTS", "CORS_ORIGINS", "TRUSTED_PROXIES", "INSECURE")
)


class MisspeltSetting(Exception):
    """A variable is nearly a setting that protects the service. The message names both."""


def given_names() -> list[str]:
    """The names of the environment and of the `.env` file that `Settings` reads."""
    return [*os.environ, *dotenv_values(".env")]


def warnings(names: Iterable[str]) -> list[str]:
    """A sentence for each `TWOFOLD_*` name that is no setting. Raises MisspeltSetting."""
    sentences = []
    variables = {name.upper() for name in names if name.upper().startswith(_PREFIX)}
    for name in sorted(variable.removeprefix(_PREFIX) for variable in variables):
        if name in _KNOWN:
            continue
        nearest = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0.7)
        meant = f" Did you mean {_PREFIX}{nearest[0]}?" if nearest else ""
        if "KEY" in name or _SECURITY.intersection(nearest):
            raise MisspeltSetting(
                f"{_PREFIX}{name} is not a setting, but looks like one that protects the service.{meant} "
                "Correct or remove it."
            )
        sentences.append(
            f"{_PREFIX}{name} is not a setting.{meant} `python -m service settings` lists all of them."
        )
    return sentences
