"""Every setting of the service, read from `TWOFOLD_*` variables or a `.env` file.

One module for each group. `values` reads lists, keys and addresses, `page` makes docs/settings.md.
"""

from __future__ import annotations

from pydantic_settings import BaseSettings, SettingsConfigDict

from service.settings.access import Access
from service.settings.connections import Connections
from service.settings.decisions import Decisions
from service.settings.finetuning import Finetuning
from service.settings.inference import Inference
from service.settings.place import Place
from service.settings.records import Records
from service.settings.streams import Streams
from service.settings.uploads import Uploads
from service.settings.values import fits_in_header, is_address, is_loopback

__all__ = ["Settings", "fits_in_header", "is_address", "is_loopback"]


# The page lists the last base first.
class Settings(
    Finetuning, Inference, Decisions, Connections, Streams, Uploads, Records, Access, Place, BaseSettings
):
    """Settings of one service process. `page.markdown_page` makes docs/settings.md of them."""

    model_config = SettingsConfigDict(
        env_prefix="TWOFOLD_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )
