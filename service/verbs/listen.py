"""The verb `listen`: tells who speaks while they speak."""

from __future__ import annotations

import queue
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.markup import escape

from service.audio import AudioLimits, decode
from service.client import ClientError
from service.errors import TwofoldError
from service.settings import Settings
from service.verbs import render
from service.verbs.terminal import (
    Collections,
    Json,
    Key,
    TargetFpr,
    Url,
    default_url,
    printable,
    show,
    trouble,
)

_RATE_HZ = 16_000
_MESSAGE_SAMPLES = 2048  # 128 ms
_NO_MICROPHONE = "--mic needs sounddevice and PortAudio: pip install 'twofold[mic]'"


def register(app: typer.Typer, load_settings: Callable[[], Settings]) -> None:
    """Adds the verb to a command line. `load_settings` reads the TWOFOLD_* variables."""

    @app.command()
    def listen(
        file: Annotated[
            Path | None,
            typer.Option(exists=True, dir_okay=False, readable=True, help="Send this recording."),
        ] = None,
        mic: Annotated[bool, typer.Option("--mic", help="Send the microphone, until Ctrl-C.")] = False,
        collection: Collections = None,
        num_speakers: Annotated[int | None, typer.Option(help="Number of voices, if it is known.")] = None,
        target_fpr: TargetFpr = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Tells who speaks while they speak, and at the end who spoke when. With --json: an event a line."""
        if (file is None) != mic:
            raise typer.BadParameter("Give --file FILE or --mic.")
        from service.client.listening import listen as listened

        settings = load_settings()
        with trouble(), _sound(file, settings) as sound:
            said: str | None = None
            for event in listened(
                url or default_url(settings),
                sound,
                key=key or next(iter(settings.keys), None),
                sample_rate_hz=_RATE_HZ,
                collection=collection,
                num_speakers=num_speakers,
                target_fpr=target_fpr,
            ):
                if as_json:
                    typer.echo(event.model_dump_json(exclude_unset=True))
                elif event.event == "end":
                    show(event.diarization, as_json, render.diarization)
                elif (who := _who(event)) and who != said:
                    said = who
                    Console(soft_wrap=True).print(f"{event.since_s:7.2f} s  {escape(printable(who))}")


def _who(event: Any) -> str | None:
    """Who is said to speak; None: nobody, or it is not known yet."""
    if event.speaker:
        name, speaker_id = event.speaker.name, event.speaker.speaker_id
        return f"{name} ({speaker_id})" if name else str(speaker_id)
    return "somebody who is not enrolled" if event.unknown else None


@contextmanager
def _sound(file: Path | None, settings: Settings) -> Iterator[Iterator[bytes]]:
    """Messages of 16-bit PCM at 16 kHz, of a recording or of the microphone. Raises ClientError."""
    if file is None:
        with _microphone() as messages:
            yield messages
        return
    try:
        recording = decode(file.read_bytes(), AudioLimits(max_seconds=settings.max_stream_seconds))
    except TwofoldError as error:
        raise ClientError(error.detail) from None
    pcm = (recording.samples * 32_767).astype("<i2").tobytes()
    size = 2 * _MESSAGE_SAMPLES
    yield (pcm[start : start + size] for start in range(0, len(pcm), size))


@contextmanager
def _microphone() -> Iterator[Iterator[bytes]]:
    """Messages of the default microphone, until Ctrl-C."""
    try:
        import sounddevice
    except (ImportError, OSError):
        raise ClientError(_NO_MICROPHONE) from None
    messages: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def came(block: Any, *_: object) -> None:
        messages.put(bytes(block))

    def end(*_: object) -> None:
        messages.put(None)

    try:
        stream = sounddevice.RawInputStream(
            samplerate=_RATE_HZ, blocksize=_MESSAGE_SAMPLES, channels=1, dtype=np.int16, callback=came
        )
    except sounddevice.PortAudioError as error:
        raise ClientError(f"There is no microphone to use: {error}.") from None
    before = signal.signal(signal.SIGINT, end)
    try:
        with stream:
            yield iter(messages.get, None)
    finally:
        signal.signal(signal.SIGINT, before)
