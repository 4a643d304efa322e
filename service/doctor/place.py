"""Settings, the files that they name, and the address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr, ValidationError

from bundle.folders import bundle_folders, read_bundle
from bundle.manifest import BundleError
from service.address import CannotListen, require_address
from service.doctor.findings import Finding, note, well, wrong
from service.errors import DiskFull
from service.keys import KeysFileError, read_keys
from service.misspelt import MisspeltSetting, given_names, warnings
from service.settings import Settings
from service.startup import explained, obstacles
from service.stores.disk import require_space
from service.stores.folder_lock import holder


def read_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings that a service would have here, where there are any, and from where each of them comes."""
    findings = []
    dotenv = Path(".env").absolute()
    if dotenv.is_file():
        findings.append(well("settings", f"{dotenv} is read. Variables of the environment come first."))
    else:
        findings.append(well("settings", f"There is no {dotenv}: the environment alone is read."))
    try:
        findings += [wrong("settings", warning) for warning in warnings(given_names())]
        settings = Settings()
    except MisspeltSetting as error:
        return None, [*findings, wrong("settings", str(error))]
    except ValidationError as error:
        return None, [*findings, *(wrong("settings", line) for line in explained(error))]
    environment = {name.upper() for name, value in os.environ.items() if value}
    for name in sorted(settings.model_fields_set):
        variable = f"TWOFOLD_{name.upper()}"
        value = getattr(settings, name)
        shown = "(secret)" if isinstance(value, SecretStr) else value
        source = "environment" if variable in environment else ".env"
        findings.append(well("settings", f"{variable}={shown} ({source})"))
    return settings, [*findings, *(wrong("settings", line) for line in obstacles(settings))]


def files(settings: Settings) -> Iterator[Finding]:
    """The folders and files that would be read and written."""
    if settings.keys_file is not None:
        with suppress(KeysFileError):  # an obstacle, already said
            yield well("keys", f"{settings.keys_file} has {len(read_keys(settings.keys_file))} keys.")
    yield _models(settings.models_dir)
    yield from _state(settings.state_dir.absolute())


def _models(folder: Path) -> Finding:
    """Whether each file of the shipped models is the one that its manifest names."""
    ids = []
    try:
        for path in bundle_folders(folder):
            bundle = type(read_bundle(path)).load(path)
            ids.append(bundle.id)
    except BundleError as error:
        return wrong("models", str(error))
    if not ids:
        return wrong("models", f"There is no model in {folder}. Set TWOFOLD_MODELS_DIR.")
    return well("models", f"{folder} has {', '.join(sorted(ids))}. Their files are undamaged.")


def _state(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        existing = next(parent for parent in folder.parents if parent.is_dir())
        if folder.exists() or not os.access(existing, os.W_OK):
            yield wrong("state folder", f"{folder} cannot be made. Set TWOFOLD_STATE_DIR.")
        else:
            yield note("state folder", f"{folder} is not there yet: the first start makes it.")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield wrong("state folder", f"You may not read and write {folder}. Run as the service's user.")
        return
    try:
        require_space(folder)
    except DiskFull as error:
        yield wrong("state folder", error.detail)
    else:
        yield well("state folder", f"{folder} can be written to.")
    if (server := holder(folder)) is not None:
        yield well("state folder", f"A service uses it{server}.")


def address(settings: Settings) -> Iterator[Finding]:
    """Whether a service could listen."""
    try:
        require_address(settings.host, settings.port)
    except CannotListen as error:
        yield note("address", f"{error} If that is your running service, all is well.")
    else:
        yield well("address", f"{settings.host} port {settings.port} is free.")
