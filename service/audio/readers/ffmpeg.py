"""Reads by FFmpeg what libsndfile cannot read, in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Thread

import numpy as np

from bundle.arrays import Float32
from service.audio.readers import ffmpeg_child as wire
from service.audio.readers.source import Source
from service.errors import InvalidAudio

#: Longest wait for the next second of sound. A child that takes longer is killed.
SILENT_S = 10.0
#: Decoded seconds may fall short of the declared ones by this: rounding, and frames that codecs leave out.
TOLERANCE_S = 0.15
_SHARED = 0.005  # of a long file: containers round the length of a frame


class FfmpegReader:
    """Reads files in child processes, which are kept for the next file. Threads may share an instance."""

    def __init__(self, *, silent_s: float = SILENT_S) -> None:
        self._silent_s = silent_s
        self._idle: LifoQueue[_Child] = LifoQueue()

    @contextlib.contextmanager
    def open(self, data: bytes, demuxer: str, name: str) -> Iterator[Source]:
        """The audio track of a file.

        Args:
            demuxer: FFmpeg's name of the container. No other is tried.
            name: of the container, for errors.

        Raises:
            InvalidAudio: here or while blocks are read: the file is damaged, cut off, or holds no audio.
        """
        child = self._child()
        try:
            child.ask(data, demuxer)
            yield _source(child, name)
        finally:
            # One that is still at work, because its reader gave up, is not worth waiting for.
            if child.idle:
                self._idle.put(child)
            else:
                child.end()

    def close(self) -> None:
        """Ends the children."""
        while True:
            try:
                self._idle.get_nowait().end()
            except Empty:
                return

    def _child(self) -> _Child:
        while True:
            try:
                child = self._idle.get_nowait()
            except Empty:
                return _Child(self._silent_s)
            if child.alive:
                return child
            child.end()


class _Child:
    """One process of `ffmpeg_child.py`."""

    def __init__(self, silent_s: float) -> None:
        self._silent_s = silent_s
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(Path(wire.__file__))],  # -I: only the file and installed packages
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C of the terminal is for the service
        )
        self.idle = True

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, data: bytes, demuxer: str) -> None:
        """Sends a file, in a thread: the child's first messages may come before it has read all."""
        self.idle = False
        Thread(target=self._write, args=(data, demuxer), daemon=True).start()

    def _write(self, data: bytes, demuxer: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # the child has ended: `messages` says so
            self._process.stdin.write(wire.REQUEST.pack(demuxer.encode(), len(data)))
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Kind and body of each message about the file. Raises _Lost."""
        while not self.idle:
            kind, length = wire.MESSAGE.unpack(self._read(wire.MESSAGE.size))
            body = self._read(length)
            self.idle = kind in (wire.END, wire.ERROR)
            yield kind, body

    def _read(self, count: int) -> bytes:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        until = time.monotonic() + self._silent_s
        parts: list[bytes] = []
        while count > 0:
            if not select.select([pipe], [], [], max(until - time.monotonic(), 0))[0]:
                raise _Lost
            part = os.read(pipe, count)
            if not part:
                raise _Lost
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what was not sent yet
                    pipe.close()


class _Lost(Exception):
    """The child has crashed, or is silent for too long."""


def _source(child: _Child, name: str) -> Source:
    messages = _said(child, name)
    kind, body = next(messages)
    if kind != wire.FORMAT:
        raise InvalidAudio(f"The {name} file holds no audio. Send a recording.")
    head = json.loads(body)
    rate, channels = head["rate_hz"], head["channels"]

    def blocks() -> Iterator[Float32]:
        frames = 0
        for kind, body in messages:
            if kind == wire.BLOCK:
                block = np.frombuffer(body, "<f4").reshape(-1, channels)
                frames += len(block)
                yield block
            else:
                _check_length(json.loads(body)["declared_s"], frames / rate, name)

    return Source(head["codec"], rate, channels, declared=None, blocks=blocks(), tracks=head["tracks"])


def _said(child: _Child, name: str) -> Iterator[tuple[bytes, bytes]]:
    """The child's messages, with its errors raised."""
    try:
        for kind, body in child.messages():
            if kind == wire.ERROR:
                raise InvalidAudio(
                    f"The {name} file cannot be decoded: {body.decode(errors='replace')}. "
                    "It is damaged or cut off, or its audio is in a rare codec. Export it again."
                )
            yield kind, body
    except _Lost:
        raise InvalidAudio(
            f"The {name} file cannot be decoded: its decoder crashed, or took too long. Export it again."
        ) from None


def _check_length(declared_s: float | None, decoded_s: float, name: str) -> None:
    if declared_s is not None and decoded_s < declared_s * (1 - _SHARED) - TOLERANCE_S:
        raise InvalidAudio(
            f"The file is cut off or damaged: its {name} header declares {declared_s:.2f} s, but "
            f"only {decoded_s:.2f} s could be decoded. Send the whole file."
        )
