"""Which model versions there are, and which one serves. Switching is hot: no request fails meanwhile."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import structlog

from bundle.folders import bundle_folders, read_bundle
from bundle.generator import GeneratorBundle
from bundle.manifest import MANIFEST, BundleError
from bundle.voice import VoiceBundle
from service.errors import Conflict, NotFound, NotReady
from service.inference.active import ActiveModel
from service.inference.choice import Choice, Enrolled, choose, default_voice
from service.inference.engine import Engine

HOW_TO_TRAIN_GAAE = (
    "A generator learns from labelled words, and is not trained by the service. In a checkout, 'python -m "
    "trainer gaae --labelled FOLDER --out runs/gaae' trains one on the words of a folder; with a larger "
    "'--set iterations=N' the same command trains it further. Then 'python -m trainer export runs/gaae --out "
    "models/gaae/VERSION': the newest serves POST /generate."
)
R = TypeVar("R")
_log = structlog.get_logger(__name__)


class _Serving:
    """An engine and how many requests use it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.leases = 0
        self.retired = False


class ModelRegistry:
    """Bundles under `folders` (see `bundle_folders`), the first of them holding what is shipped.

    Belongs to one event loop.
    """

    def __init__(
        self, folders: Sequence[Path], chosen: ActiveModel, make_engine: Callable[[VoiceBundle], Engine]
    ) -> None:
        self._folders = folders
        self._chosen = chosen
        self._make_engine = make_engine
        self._serving: _Serving | None = None
        self._switching = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()
        self._why_not = "The model is being loaded. Try again shortly."
        self._gone: str | None = None
        self._newer: VoiceBundle | None = None

    def list(self) -> list[VoiceBundle | GeneratorBundle]:
        """Every model there is, oldest first. Only manifests are read: files are checked when loaded."""
        by_id: dict[str, VoiceBundle | GeneratorBundle] = {}
        for folder in self._folders:
            for path in bundle_folders(folder):
                try:
                    bundle = read_bundle(path)
                except BundleError as error:
                    _log.warning("bundle_ignored", reason=str(error))
                    continue
                if by_id.setdefault(bundle.id, bundle) is not bundle:
                    _log.warning("bundle_ignored", reason="the model exists already", model=bundle.id)
        return sorted(by_id.values(), key=lambda bundle: bundle.created_at)

    def generator(self) -> GeneratorBundle | None:
        """The newest bundle that generates; None where there is none. Blocks."""
        generators = [bundle for bundle in self.list() if isinstance(bundle, GeneratorBundle)]
        return generators[-1] if generators else None

    @property
    def active(self) -> VoiceBundle | None:
        """The bundle that serves, or None before the first one is loaded."""
        return self._serving.engine.bundle if self._serving else None

    @property
    def not_ready_because(self) -> str:
        """Why there is no active bundle, in words for the caller."""
        return self._why_not

    @property
    def gone(self) -> str | None:
        """The model that served before the start, if it is not there any more and another took over."""
        return self._gone

    @property
    def notices(self) -> Sequence[str]:
        """What an operator should know of the model that serves, in sentences."""
        notices = []
        if self.active and self._gone:
            notices.append(f"{self._gone} served before and is not here any more: {self.active.id} serves.")
        if self.active and self._newer:
            notices.append(
                f"{self.active.id} goes on serving, although {self._newer.id} is newer. "
                f"POST /models/{self._newer.id}/activate switches. Voices whose audio was retained come "
                "along; others may have to be enrolled again."
            )
        return notices

    async def start(
        self,
        before_serving: Callable[[Engine], Awaitable[object]] | None = None,
        enrolled: Enrolled = dict,
    ) -> None:
        """Loads the model that `choose` names, and awaits `before_serving`.

        Failure is logged and kept as `not_ready_because`: the service stays up, so that another version can
        be activated.
        """
        async with self._switching:
            try:
                choice, newer = await asyncio.to_thread(self._first, enrolled)
                engine = await self._load(choice.bundle)
                if before_serving:
                    await before_serving(engine)
                self._serving = _Serving(engine)
                self._gone, self._newer = choice.gone, newer
                _log.info("model_active", model=choice.bundle.id)
                for notice in self.notices:
                    _log.warning("model_notice", reason=notice)
            except Exception as error:  # noqa: BLE001  whatever it is, the service stays up and says it
                self._why_not = str(error)
                _log.error("model_not_loaded", reason=str(error), error=type(error).__name__)

    async def activate(self, version: str, before_switch: Callable[[Engine], Awaitable[R]]) -> R:
        """Loads and warms `version`, awaits `before_switch` with its engine, then switches.

        `version` is name/version, or a version that only one voice model has. Returns what `before_switch`
        said. Raises NotFound, Conflict when the bundle is damaged or the version is not unique, or
        StoreUnavailable; the old version then goes on serving.
        """

        async def prepare(engine: Engine) -> R:
            result = await before_switch(engine)
            await asyncio.to_thread(self._choose, engine.bundle)
            return result

        async with self._switching:
            return await self._switch(version, prepare)

    async def adopt(self, before_switch: Callable[[Engine], Awaitable[R]]) -> R | None:
        """Switches to the version that another process has activated; None when it serves already.

        None, too, while a switch is going on here: look again later. Raises what `activate` raises.
        """
        if self._switching.locked():
            return None
        async with self._switching:
            model = await asyncio.to_thread(self._chosen.read)
            if model is None or (self.active and self.active.id == model):
                return None
            return await self._switch(model, before_switch)

    async def remove(self, version: str) -> None:
        """Deletes a fine-tuned version that is not needed to serve, or to go back; a switch waits meanwhile.

        Raises NotFound, StoreUnavailable, and Conflict where it was shipped, serves, or is the parent of the
        version that serves.
        """

        def work() -> None:
            bundle = self.find(version)
            if bundle.path.is_relative_to(self._folders[0]):
                raise Conflict(
                    f"{bundle.id} was shipped: only versions that POST /finetune made are removed."
                )
            self._require_unneeded(bundle)
            manifest = bundle.path / MANIFEST
            # First: without it nobody sees the rest.
            hidden = manifest.rename(manifest.with_suffix(".removed"))
            try:
                self._require_unneeded(bundle)  # another replica may have switched: see `_choose`
            except BaseException:
                hidden.rename(manifest)
                raise
            shutil.rmtree(bundle.path)
            _log.info("model_removed", model=bundle.id)

        async with self._switching:
            await asyncio.to_thread(work)

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

    async def _switch(self, version: str, before_switch: Callable[[Engine], Awaitable[R]]) -> R:
        bundle = await asyncio.to_thread(self.find, version)
        newer = await asyncio.to_thread(self._newer_than, bundle)
        try:
            engine = await self._load(bundle)
        except BundleError as error:
            raise Conflict(str(error)) from error
        try:
            result = await before_switch(engine)
        except BaseException:
            self._retire(_Serving(engine))
            raise
        previous, self._serving = self._serving, _Serving(engine)
        self._gone, self._newer = None, newer
        if previous:
            self._retire(previous)
        _log.info("model_active", model=bundle.id)
        return result

    def _choose(self, bundle: VoiceBundle) -> None:
        """Stores the choice. Raises NotFound where another replica removed the version meanwhile."""
        self._chosen.write(bundle)
        if not (bundle.path / MANIFEST).is_file():
            if self.active:
                self._chosen.write(self.active)
            raise _unknown(bundle.id)

    def _require_unneeded(self, bundle: VoiceBundle) -> None:
        chosen = self._chosen.read()  # another replica may have switched
        active = self.active.id if self.active else None
        if bundle.id in (active, chosen) or bundle.version == chosen:
            raise Conflict(f"{bundle.id} serves. Activate another version first: GET /models lists them.")
        for child in self._voices():
            serves = child.id in (active, chosen) or child.version == chosen
            if serves and (child.name, child.parent) == (bundle.name, bundle.version):
                raise Conflict(
                    f"{child.id} serves and was made from {bundle.id}, which is the way back. Activate "
                    "another version first: GET /models lists them."
                )

    def _first(self, enrolled: Enrolled) -> tuple[Choice, VoiceBundle | None]:
        choice = choose(self._voices(), self._folders[0], self._chosen.read(), enrolled)
        return choice, self._newer_than(choice.bundle)

    def _newer_than(self, bundle: VoiceBundle) -> VoiceBundle | None:
        """The default of this release, where it is newer than `bundle`."""
        try:
            default = default_voice(self._voices(), self._folders[0])
        except BundleError:
            return None
        return default if default.created_at > bundle.created_at else None

    def _voices(self) -> Sequence[VoiceBundle]:
        return [bundle for bundle in self.list() if isinstance(bundle, VoiceBundle)]

    def find(self, version: str) -> VoiceBundle:
        """The voice model `version`, with or without its name. Blocks.

        Raises NotFound, and Conflict where it is not unique or generates audio.
        """
        matches = [bundle for bundle in self._voices() if version in (bundle.id, bundle.version)]
        if len(matches) > 1:
            names = " and ".join(bundle.id for bundle in matches)
            raise Conflict(f"{names} have the version {version}: give the name too, as {matches[0].id}.")
        if matches:
            return matches[0]
        for other in self.list():
            if version in (other.id, other.version):
                raise Conflict(
                    f"{other.id} generates audio and knows no voices: the newest of its kind serves POST "
                    "/generate beside the active model. Activate another kind: GET /models lists them. "
                    f"{HOW_TO_TRAIN_GAAE}"
                )
        raise _unknown(version)

    async def _load(self, bundle: VoiceBundle) -> Engine:
        verified = await asyncio.to_thread(VoiceBundle.load, bundle.path)
        return await asyncio.to_thread(self._make_engine, verified)

    def _retire(self, serving: _Serving) -> None:
        serving.retired = True
        if not serving.leases:
            self._close_soon(serving)

    def _close_soon(self, serving: _Serving) -> None:
        task = asyncio.create_task(asyncio.to_thread(serving.engine.close))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


def _unknown(version: str) -> NotFound:
    return NotFound(
        f"There is no model version {version!r}. GET /models lists them, and "
        "POST /models/{version}/activate chooses one."
    )
