"""A standard MIDI file of single notes (MIDI 1.0, format 0)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

_TICKS_PER_S = 1000
_NOTE_ON, _NOTE_OFF, _CONTROL, _PROGRAM, _ALL_SOUND_OFF = 0x90, 0x80, 0xB0, 0xC0, 120


def write_notes(
    path: Path, notes: Sequence[tuple[int, int]], *, program: int, held_s: float, spacing_s: float
) -> None:
    """Notes (pitch, velocity) one after another, note k at k · `spacing_s`, each silent before the next.

    Args:
        program: General MIDI, counted from 0.
        held_s: from key down to key up.
    """
    events = [(0, bytes([_PROGRAM, program]))]
    for index, (pitch, velocity) in enumerate(notes):
        start = round(index * spacing_s * _TICKS_PER_S)
        events += [
            (start, bytes([_NOTE_ON, pitch, velocity])),
            (start + round(held_s * _TICKS_PER_S), bytes([_NOTE_OFF, pitch, 0])),
            (start + round(0.95 * spacing_s * _TICKS_PER_S), bytes([_CONTROL, _ALL_SOUND_OFF, 0])),
        ]
    track = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big")  # a quarter note is a second
    now = 0
    for ticks, event in events:
        track += _variable_length(ticks - now) + event
        now = ticks
    # The end of the file is the end of the rendering: it has to be after the last note.
    track += _variable_length(round(spacing_s * _TICKS_PER_S)) + b"\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, _TICKS_PER_S)
    path.write_bytes(header + b"MTrk" + struct.pack(">I", len(track)) + track)


def _variable_length(value: int) -> bytes:
    """Seven bits a byte, the first ones most significant, all but the last with the top bit set."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))
