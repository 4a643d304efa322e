"""When a training writes its checkpoint: every so many steps, every few minutes, and when it is stopped."""

from __future__ import annotations

import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Self

EVERY_S = 180.0  # a killed training loses at most this much


class CheckpointSchedule:
    """Holds back Ctrl-C and SIGTERM until a step is over and its checkpoint is written.

    After each step: if `due(step)`, write the checkpoint; then call `leave_if_stopped()`. A second signal
    ends the program at once. Outside the main thread signals are left alone.
    """

    def __init__(self, every_steps: int, steps: int) -> None:
        self.every_steps = every_steps
        self.steps = steps
        self._written = time.monotonic()
        self._signal: int | None = None
        self._leaving = False
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._stop) or signal.SIG_DFL
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        if kind is None and self.stopped:  # it came in the last step
            self.leave()

    def due(self, step: int) -> bool:
        """Whether to write a checkpoint after this step, counted from 1."""
        self._leaving = self.stopped
        now = time.monotonic()
        due = (
            self._leaving
            or step % self.every_steps == 0
            or step == self.steps
            or now - self._written >= EVERY_S
        )
        if due:
            self._written = now
        return due

    @property
    def stopped(self) -> bool:
        """Whether a signal has come."""
        return self._signal is not None

    def leave_if_stopped(self) -> None:
        """Calls `leave` if a signal had come before the last `due`."""
        if self._leaving:
            self.leave()

    def leave(self) -> None:
        """Ends the program.

        Raises:
            KeyboardInterrupt: after SIGINT.
            SystemExit: after SIGTERM, with the status that a shell gives it.
        """
        if self._signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + signal.SIGTERM)

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 (as signal calls it)
        self._signal = number
        self._restore()
        if signal.getsignal(number) == signal.SIG_IGN:  # as a shell leaves it for a job in the background
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        print("Stopping after this step. A second Ctrl-C stops at once.", file=sys.stderr)

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
