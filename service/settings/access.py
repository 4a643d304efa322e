"""Who may call the service: keys, names, web pages and proxies."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from service.settings.values import fits_in_header, listed


class Access(BaseModel):
    """Fields of `Settings`."""

    api_keys: SecretStr = Field(
        default=SecretStr(""),
        description="API keys, comma-separated. When set, calls need the header "
        "`Authorization: Bearer KEY`. Documentation, health and metrics need no key.",
    )
    keys_file: Path | None = Field(
        default=None,
        description="File of API keys with scopes, as `python -m service keys new` makes it. It holds hashes "
        "only, and is read again when it changes.",
    )
    insecure: bool = Field(
        default=False,
        description="Without keys only this machine is served. `1` lets the service listen on another "
        "address all the same: then everybody who reaches it may enrol and erase.",
    )
    trusted_hosts: str = Field(
        default="",
        description="Names by which clients may call the service, without port, comma-separated; `*` allows "
        "all. Without keys `localhost` and loopback addresses always are allowed. With keys, an empty list "
        "allows all.",
    )
    cors_origins: str = Field(
        default="",
        description="Origins of web pages that may call the service, as `https://app.example.org`, "
        "comma-separated. Without keys, or with a list here, pages of other origins are refused.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks of proxies, comma-separated. Only their `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed.",
    )
    root_path: str = Field(
        default="",
        pattern=r"^(/[^/?#\s]+)*$",
        description="Path under which a proxy shows the service, as `/twofold`. The proxy takes it off "
        "before it passes a request on.",
    )
    page: bool = Field(
        default=True,
        description="Show the playground at `/`. `0`: `/` leads to the documentation instead. The page "
        "itself needs no key; its calls do.",
    )

    @field_validator("api_keys")
    @classmethod
    def _keys_are_long(cls, value: SecretStr) -> SecretStr:
        if any(len(key) < 16 for key in listed(value)):
            raise ValueError("every key needs at least 16 characters; `openssl rand -hex 16` makes one")
        if not all(fits_in_header(key) for key in listed(value)):
            raise ValueError("a key is sent in a header: only ASCII characters that can be seen, no spaces")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, value: str) -> str:
        for proxy in listed(value):
            if proxy != "*":
                ipaddress.ip_network(proxy)  # raises ValueError, which names it
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins_have_a_scheme(cls, value: str) -> str:
        for origin in listed(value):
            if origin != "*" and not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(
                    f"{origin!r} is not an origin: a scheme and a host, as https://app.example.org"
                )
        return value

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys, none of them empty."""
        return listed(self.api_keys)

    @property
    def locked(self) -> bool:
        """Whether a key is needed."""
        return bool(self.keys) or self.keys_file is not None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of `trusted_hosts`, in lower case."""
        return listed(self.trusted_hosts.lower())

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`, in lower case."""
        return listed(self.cors_origins.lower())

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks of `trusted_proxies`."""
        return list(listed(self.trusted_proxies))
