"""Every setting of the service, read from `TWOFOLD_*` variables or a `.env` file."""

from __future__ import annotations

import base64
import ipaddress
import re
from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_CHECKOUT = Path(__file__).resolve().parent.parent
_PAGE = (
    "# Settings",
    "",
    "Settings are environment variables, or lines of a `.env` file where the service starts.",
    "This page is what `python -m service settings` prints.",
    "",
    "The service does not read `TWOFOLD_DATA`. It names a folder of speech corpora ([data.md](data.md)) for",
    "`python -m trainer reproduce`, benchmarks and tests.",
    "",
)


class Settings(BaseSettings):
    """Settings of one service process. `markdown_page` makes docs/settings.md of them."""

    model_config = SettingsConfigDict(
        env_prefix="TWOFOLD_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on. 0 takes a free port.")
    state_dir: Path = Field(
        default=Path("state"),
        description="Folder of everything that lasts: enrolled voices, jobs, new model versions.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr(""),
        description="Redis 7 for voices and jobs, as `redis://HOST:6379/0`. Several replicas can share it. "
        "Empty: the state folder holds voices and jobs.",
    )
    models_dir: Path = Field(
        default=_CHECKOUT / "models",
        description="Folder of the shipped model bundles. The newest autodecompose in it serves. "
        "Give the path of one model (`models/barlow_twins`) or bundle to serve that instead.",
    )
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
    audio_key: SecretStr = Field(
        default=SecretStr(""),
        description="Encrypts retained recordings: 32 bytes in URL-safe base64. To rotate keys, list several "
        "with commas: the first encrypts, all decrypt. A recording is lost without its key. "
        "Recordings of fine-tuning jobs are encrypted too: a worker needs the same keys.",
    )
    audit_log: Path | None = Field(
        default=None,
        description="File of the audit log: who asked what about whom, and what was decided. One JSON object "
        "a line, without audio and embeddings. Empty: off. Each replica needs a file of its own.",
    )
    audit_log_bytes: int = Field(
        default=64 * 2**20, ge=1024, description="Size at which a new audit log is begun, in bytes."
    )
    audit_log_files: int = Field(
        default=10, ge=2, description="Most files of the audit log. The oldest is deleted for a new one."
    )
    log_level: str = Field(
        default="info",
        pattern="^(debug|info|warning|error)$",
        description="Log level: debug, info, warning or error.",
    )

    max_bytes: int = Field(default=64 * 2**20, ge=1024, description="Largest request body, in bytes.")
    max_files: int = Field(default=32, ge=1, description="Most audio files in one request.")
    max_seconds: float = Field(
        default=600.0,
        gt=0,
        description="Longest audio in one request, in seconds: all files together, after decoding.",
    )
    upload_timeout_s: float = Field(
        default=60.0, gt=0, description="Longest time a request body may take, in seconds."
    )
    min_upload_bytes_per_s: int = Field(
        default=1024,
        ge=0,
        description="Least rate of a request body after its first five seconds, in bytes per second. "
        "A slower one gets status 400.",
    )
    max_in_flight: int = Field(
        default=64, ge=1, description="Most audio requests at once. Further requests get status 429."
    )
    max_upload_memory_bytes: int = Field(
        default=2**30,
        ge=1024,
        description="Most memory for all uploads at once, in bytes: twice the body, and what is "
        "decoded from it. Further requests get status 429.",
    )
    requests_per_minute: int = Field(
        default=0,
        ge=0,
        description="Most requests of one client a minute, at each replica. Further ones get status 429. "
        "0: no limit. A client is a tenant or a key; without keys, an address.",
    )
    audio_seconds_per_minute: float = Field(
        default=0.0,
        ge=0,
        description="Most audio of one client a minute, in seconds, at each replica. A client that is over "
        "it gets status 429 until the minutes have made up for it. 0: no limit.",
    )
    max_connections: int = Field(
        default=512,
        ge=1,
        description="Most open connections. One more closes the one that has waited longest for a request; "
        "if none waits, the new one is closed.",
    )
    client_timeout_s: float = Field(
        default=20.0,
        gt=0,
        description="Longest time for the headers of a request, and for a client to take up its answer, in "
        "seconds. Then the connection is closed.",
    )
    keep_alive_s: int = Field(
        default=75,
        ge=1,
        description="Time that an idle connection stays open, in seconds. Keep it longer than a proxy's.",
    )
    decode_threads: int = Field(default=2, ge=1, description="Threads that decode audio and find speech.")

    min_speech_embed_s: float = Field(
        default=0.5, ge=0, description="Least speech that /embed and /content need, in seconds."
    )
    min_speech_identify_s: float = Field(
        default=1.0, ge=0, description="Least speech that /identify and /verify need, in seconds."
    )
    min_speech_enrol_s: float = Field(
        default=5.0, ge=0, description="Least speech that an enrolment needs, in seconds."
    )
    target_fpr: float = Field(
        default=0.01,
        gt=0,
        lt=1,
        description="Default rate at which an unknown voice may be accepted, as a fraction.",
    )

    inference_threads: int = Field(
        default=0, ge=0, description="Threads of one ONNX call. 0: what the container's CPU quota allows."
    )
    max_batch: int = Field(default=32, ge=1, description="Most 1.024 s crops in one ONNX call.")
    max_queue: int = Field(
        default=2048,
        ge=1,
        description="Most 1.024 s crops waiting for inference. Further requests get status 429.",
    )
    max_clips: int = Field(
        default=64, ge=1, description="Most clips waiting to be generated. Further requests get status 429."
    )
    min_speech_finetune_s: float = Field(
        default=5.0,
        ge=0,
        description="Least speech that a fine-tuning job needs, in seconds, all recordings together.",
    )
    same_voice_seconds: float = Field(
        default=10.0,
        ge=0,
        description="In fine-tuning, two crops of a recording count as one voice if they start at most this "
        "far apart, in seconds; 0: always. Keep it small for conversations.",
    )
    finetune_queue: int = Field(
        default=4,
        ge=1,
        description="Most unfinished fine-tuning jobs of one client. Further jobs get status 429.",
    )
    finetune_disk_bytes: int = Field(
        default=2 * 2**30,
        ge=1024,
        description="Most space for the recordings of all unfinished jobs, in bytes.",
    )
    finetune_timeout_s: int = Field(
        default=6 * 3600, ge=1, description="Longest time of one attempt at a job, in seconds."
    )
    finetune_lease_s: float = Field(
        default=30.0,
        ge=1,
        description="Another worker takes a job over when its worker has been silent this long, in seconds.",
    )
    finetune_attempts: int = Field(
        default=3, ge=1, description="A job fails when its worker has died this many times."
    )
    finetune_threads: int = Field(
        default=0, ge=0, description="Threads of a worker. 0: what the container's CPU quota allows."
    )
    shutdown_grace_s: int = Field(
        default=30, ge=0, description="Longest wait for open requests after SIGTERM, in seconds."
    )

    @field_validator("api_keys")
    @classmethod
    def _keys_are_long(cls, value: SecretStr) -> SecretStr:
        if any(len(key) < 16 for key in _listed(value)):
            raise ValueError("every key needs at least 16 characters; `openssl rand -hex 16` makes one")
        if not all(fits_in_header(key) for key in _listed(value)):
            raise ValueError("a key is sent in a header: only ASCII characters that can be seen, no spaces")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_are_addresses(cls, value: str) -> str:
        for proxy in _listed(value):
            if proxy != "*":
                ipaddress.ip_network(proxy)  # raises ValueError, which names it
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins_have_a_scheme(cls, value: str) -> str:
        for origin in _listed(value):
            if origin != "*" and not re.fullmatch(r"https?://[^/\s]+", origin):
                raise ValueError(
                    f"{origin!r} is not an origin: a scheme and a host, as https://app.example.org"
                )
        return value

    @model_validator(mode="after")
    def _one_upload_fits(self) -> Settings:
        least = 2 * self.max_bytes
        if self.max_upload_memory_bytes < least:
            raise ValueError(
                f"TWOFOLD_MAX_UPLOAD_MEMORY_BYTES must be at least {least}, twice TWOFOLD_MAX_BYTES"
            )
        return self

    @field_validator("redis_url")
    @classmethod
    def _redis_url_has_a_scheme(cls, value: SecretStr) -> SecretStr:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("a Redis URL starts with redis://, rediss:// (TLS) or unix://")
        return value

    @field_validator("audio_key")
    @classmethod
    def _audio_keys_are_32_bytes(cls, value: SecretStr) -> SecretStr:
        for key in _listed(value):
            try:
                fits = len(base64.urlsafe_b64decode(key)) == 32
            except ValueError:
                fits = False
            if not fits:
                raise ValueError("a key is 32 bytes in URL-safe base64: `openssl rand -base64 32 | tr +/ -_`")
        return value

    @property
    def audio_keys(self) -> tuple[str, ...]:
        """The keys of retained recordings; the first encrypts."""
        return _listed(self.audio_key)

    @property
    def keys(self) -> tuple[str, ...]:
        """The API keys, none of them empty."""
        return _listed(self.api_keys)

    @property
    def locked(self) -> bool:
        """Whether a key is needed."""
        return bool(self.keys) or self.keys_file is not None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of `trusted_hosts`, in lower case."""
        return _listed(self.trusted_hosts.lower())

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of `cors_origins`, in lower case."""
        return _listed(self.cors_origins.lower())

    @property
    def proxies(self) -> list[str]:
        """The addresses and networks of `trusted_proxies`."""
        return list(_listed(self.trusted_proxies))


def fits_in_header(key: str) -> bool:
    """Whether a key can be sent in a header."""
    return re.fullmatch(r"[!-~]+", key) is not None


def is_address(host: str) -> bool:
    """Whether a host is an IP address, not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address: 127.0.0.0/8, ::1, or `localhost`."""
    if is_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host.rstrip(".").lower() == "localhost"


def _listed(value: SecretStr | str) -> tuple[str, ...]:
    text = value if isinstance(value, str) else value.get_secret_value()
    return tuple(part.strip() for part in text.split(",") if part.strip())


def markdown_page() -> str:
    """The text of docs/settings.md: a table of variable, default, and meaning with unit."""
    rows = [*_PAGE, "| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = field.default
        if name == "models_dir":
            default = "models"  # of the checkout; never this machine's path
        if isinstance(default, SecretStr):
            default = default.get_secret_value()
        shown = f"`{default}`" if default not in ("", None) else "(empty)"
        rows.append(f"| `TWOFOLD_{name.upper()}` | {shown} | {field.description} |")
    return "\n".join(rows)
