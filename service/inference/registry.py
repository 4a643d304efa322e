"""Which model versions there are, and which one serves. Switching is hot: no request fails meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import structlog

from service.errors import Conflict, NotFound, NotReady
from service.inference.bundle import MANIFEST, Bundle, BundleError
from service.inference.engine import Engine

R = TypeVar("R")
_DEFAULT_NAME = "autodecompose"
_log = structlog.get_logger(__name__)


class _Serving:
    """An engine and how many requests use it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.leases = 0
        self.retired = False


class ModelRegistry:
    """Bundles under `folders` (each `<name>/<version>/`), the first of them holding what is shipped.

    Belongs to one event loop.
    """

    def __init__(
        self, folders: Sequence[Path], active_file: Path, make_engine: Callable[[Bundle], Engine]
    ) -> None:
        self._folders = folders
        self._active_file = active_file
        self._make_engine = make_engine
        self._serving: _Serving | None = None
        self._switching = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._why_not = "The model is being loaded. Try again shortly."

    def list(self) -> list[Bundle]:
        """Every version there is, oldest first. Only manifests are read: files are checked when loaded."""
        found: dict[str, Bundle] = {}
        for folder in self._folders:
            for manifest in sorted(folder.glob(f"*/*/{MANIFEST}")):
                try:
                    bundle = Bundle.read(manifest.parent)
                except BundleError as error:
                    _log.warning("bundle_ignored", reason=str(error))
                    continue
                if found.setdefault(bundle.version, bundle) is not bundle:
                    _log.warning(
                        "bundle_ignored", reason="the version exists already", version=bundle.version
                    )
        return sorted(found.values(), key=lambda bundle: bundle.created_at)

    @property
    def active(self) -> Bundle | None:
        """The bundle that serves, or None before the first one is loaded."""
        return self._serving.engine.bundle if self._serving else None

    @property
    def not_ready_because(self) -> str:
        """Why there is no active bundle, in words for the caller."""
        return self._why_not

    async def start(self, before_serving: Callable[[Engine], Awaitable[object]] | None = None) -> None:
        """Loads the version that was active last, else the newest shipped one, and awaits `before_serving`.

        Failure is logged and kept as `not_ready_because`: the service stays up, so that another version can
        be activated.
        """
        async with self._switching:
            try:
                bundle = await asyncio.to_thread(self._first)
                engine = await self._load(bundle)
                if before_serving:
                    await before_serving(engine)
                self._serving = _Serving(engine)
                _log.info("model_active", model=bundle.id)
            except Exception as error:  # noqa: BLE001  whatever it is, the service stays up and says it
                self._why_not = str(error)
                _log.error("model_not_loaded", reason=str(error), error=type(error).__name__)

    async def activate(self, version: str, before_switch: Callable[[Engine], Awaitable[R]]) -> R:
        """Loads and warms `version`, awaits `before_switch` with its engine, then switches.

        Returns what `before_switch` said. Raises NotFound, or Conflict when the bundle is damaged; the old
        version then goes on serving.
        """
        async with self._switching:
            bundle = await asyncio.to_thread(self._find, version)
            try:
                engine = await self._load(bundle)
            except BundleError as error:
                raise Conflict(str(error)) from error
            try:
                result = await before_switch(engine)
                await asyncio.to_thread(_write_durably, self._active_file, json.dumps({"version": version}))
            except BaseException:
                self._retire(_Serving(engine))
                raise
            previous, self._serving = self._serving, _Serving(engine)
            if previous:
                self._retire(previous)
            _log.info("model_active", model=bundle.id)
            return result

    @contextmanager
    def lease(self) -> Iterator[Engine]:
        """The active engine, kept open until the block ends, also through a switch. Raises NotReady."""
        serving = self._serving
        if serving is None:
            raise NotReady(self._why_not, retry_after_s=1)
        serving.leases += 1
        try:
            yield serving.engine
        finally:
            serving.leases -= 1
            if serving.retired and not serving.leases:
                self._close_soon(serving)

    async def close(self) -> None:
        """Finishes what is queued and closes every engine."""
        async with self._switching:
            if self._serving:
                self._close_soon(self._serving)
                self._serving = None
        await asyncio.gather(*self._closing)

    def _first(self) -> Bundle:
        if self._active_file.exists():
            try:
                version = json.loads(self._active_file.read_text())["version"]
            except (ValueError, KeyError, TypeError) as error:
                raise BundleError(
                    f"{self._active_file.name} is damaged: activate a version, or delete it for the default."
                ) from error
            return self._find(version)
        shipped = [
            b for b in self.list() if b.name == _DEFAULT_NAME and b.path.is_relative_to(self._folders[0])
        ]
        if not shipped:
            raise BundleError(
                f"There is no {_DEFAULT_NAME} bundle in {self._folders[0]}. Set TWOFOLD_MODELS_DIR."
            )
        return shipped[-1]

    def _find(self, version: str) -> Bundle:
        for bundle in self.list():
            if bundle.version == version:
                return bundle
        raise NotFound(f"There is no model version {version!r}. GET /models lists them.")

    async def _load(self, bundle: Bundle) -> Engine:
        verified = await asyncio.to_thread(Bundle.load, bundle.path)
        return await asyncio.to_thread(self._make_engine, verified)

    def _retire(self, serving: _Serving) -> None:
        serving.retired = True
        if not serving.leases:
            self._close_soon(serving)

    def _close_soon(self, serving: _Serving) -> None:
        task = asyncio.create_task(asyncio.to_thread(serving.engine.close))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _write_durably(path: Path, text: str) -> None:
    """All or nothing, also through a power cut: temporary file, fsync, rename, fsync of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
