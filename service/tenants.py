"""Whose a voice, a job or a version is. Tenants share a service and a model, and know nothing of each other.

The id of a speaker is stored with its tenant, as `~acme/ann`. No id that a client may choose begins with `~`,
which sorts behind all that do not: the voices of a tenant stand together in the order of ids.

The nameless tenant is the operator. Its keys are those without a tenant, and its ids are stored as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,31}$"
_MARK, _SEPARATOR, _BEHIND = "~", "/", "0"  # the character behind "/" is "0"
_VERSION = "ft-"


class IdRange(NamedTuple):
    """Stored ids from `first`, without `end`, in the order of their bytes."""

    first: str
    end: str


EVERYBODY = IdRange("", "\U0010ffff")


@dataclass(frozen=True)
class Tenant:
    """One tenant. The nameless one is the operator."""

    name: str = ""

    @property
    def is_operator(self) -> bool:
        """Whether it is the one that decides for all: which model serves."""
        return not self.name

    @property
    def ids(self) -> IdRange:
        """Where the voices of the tenant are stored."""
        if self.is_operator:
            return IdRange("", _MARK)
        return IdRange(f"{_MARK}{self.name}{_SEPARATOR}", f"{_MARK}{self.name}{_BEHIND}")

    def stored(self, speaker_id: str) -> str | None:
        """The id under which a speaker is stored; None for what no client may choose as an id."""
        if speaker_id.startswith(_MARK) or _SEPARATOR in speaker_id:
            return None
        return speaker_id if self.is_operator else f"{_MARK}{self.name}{_SEPARATOR}{speaker_id}"

    def sees_version(self, version: str) -> bool:
        """Whether it may know of a version: what is shipped, and what it made. The operator knows all."""
        if self.is_operator or not version.startswith(_VERSION):
            return True
        return version_owner(version) == self.name


OPERATOR = Tenant()


def owner(stored_id: str) -> str:
    """The name of the tenant that a stored id belongs to."""
    return stored_id[1:].partition(_SEPARATOR)[0] if stored_id.startswith(_MARK) else ""


def shown(stored_id: str) -> str:
    """The id of a speaker as its tenant knows it."""
    return stored_id.partition(_SEPARATOR)[2] if stored_id.startswith(_MARK) else stored_id


def version_owner(version: str) -> str:
    """The tenant whose job made a version, such as `ft-20261121-083015-7f3a52-acme`."""
    parts = version.split("-", 4)
    return parts[4] if len(parts) > 4 else ""
