"""Settings are frozen dataclasses. This changes them from a command line and reads them back from JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass, replace
from typing import Any, TypeVar


def tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Turns JSON's lists back into tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}


def assignments(texts: Sequence[str]) -> dict[str, str]:
    """["epochs=3"] → {"epochs": "3"}.

    Raises:
        ValueError: a text has no "=".
    """
    for text in texts:
        if "=" not in text:
            raise ValueError(f"--set takes name=value, not {text!r}.")
    return dict(text.split("=", 1) for text in texts)


Settings = TypeVar("Settings")


def override(settings: Settings, assignments: dict[str, str]) -> Settings:
    """Settings with fields replaced by text such as {"epochs": "3", "acoustics.tilt_db": "4"}.

    Raises:
        ValueError: there is no such field, or the text does not fit its type.
    """
    for path, text in assignments.items():
        name, _, inner = path.partition(".")
        value = getattr(settings, name, None)
        new: Any
        if is_dataclass(value):
            new = None if text.lower() == "none" and not inner else override(value, {inner: text})
        else:
            new = _parse(path, value, text)
        changed: Any = settings  # a dataclass; the type variable cannot say so
        settings = replace(changed, **{name: new})
    return settings


def _parse(name: str, value: object, text: str) -> bool | int | float | str | tuple[Any, ...]:
    """`text` as the type of the value it replaces. A tuple such as (5, 25) is written "5,25"."""
    if isinstance(value, tuple):
        parts = text.split(",")
        if len(parts) != len(value):
            raise ValueError(f"{name} takes {len(value)} values separated by commas, not {text!r}.")
        return tuple(_parse(name, old, part) for old, part in zip(value, parts, strict=True))
    if isinstance(value, bool):
        if text.lower() not in {"true", "false"}:
            raise ValueError(f"{name} is true or false, not {text!r}.")
        return text.lower() == "true"
    if isinstance(value, int | float | str):
        return type(value)(text)
    raise ValueError(f"There is no setting {name!r} that takes a plain value.")
