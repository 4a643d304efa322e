"""Recordings that are enrolled already: the same file again, also after another codec. Each counts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from service.audio.decoder import EmbeddedRecording
from service.audio.fingerprint import Fingerprint, same_sound, sparse
from service.speakers.quality import Issue
from service.speakers.records import Speaker

_COPY_SHARE = 0.5  # of a recording; with less that another one holds too, it is a new one
_LEAST_SHIFT_S = 2.0  # of sound that repeats inside a recording
#: Of a recording that repeats itself. People repeat words: of 280 recordings of train speakers, five repeated
#: up to 0.23 of their sound.
_REPEATED_SHARE = 0.3


@dataclass
class Sorted:
    """Recordings that came, by what becomes of them."""

    new: list[EmbeddedRecording] = field(default_factory=list)
    copies: dict[int, int] = field(default_factory=dict)  # place among those that came → number it repeats
    replaced: list[int] = field(default_factory=list)  # numbers of stored ones whose audio is now retained

    @property
    def issues(self) -> list[Issue]:
        """What an answer says of the copies."""
        return [
            Issue(
                "same_recording",
                f"File {place + 1} is recording {number} again: it was not added. Send another recording.",
                number,
            )
            for place, number in self.copies.items()
        ]


def sort_out(
    recordings: Sequence[EmbeddedRecording], model: str, *, retain_audio: bool, speaker: Speaker | None = None
) -> Sorted:
    """Tells copies of recordings of `speaker`, or of each other, from new recordings.

    A recording whose audio was not retained may come again for that: it then takes the place of the stored
    one. One that `model` has not embedded may come again too. Blocks for some milliseconds a recording.
    """
    enrolled = speaker.utterances if speaker else ()
    known: list[tuple[int, Fingerprint, bool]] = [  # number, fingerprint, whether all of it is there
        (u.number, np.frombuffer(u.measures.fingerprint, "<u4"), u.retained or not retain_audio)
        for u in enrolled
        if model in u.embeddings and u.embeddings[model].map_error is None
    ]
    following = 1 + max((u.number for u in enrolled), default=0)
    result = Sorted()
    for place, recording in enumerate(recordings):
        whole = recording.prepared.fingerprint
        for number, stored, complete in known:
            same = same_sound(stored, whole)
            if same is None or same.share < _COPY_SHARE:
                continue
            if complete:
                result.copies[place] = number
                break
            if number not in result.replaced:
                result.replaced.append(number)
        if place not in result.copies:
            known.append((following + len(result.new), sparse(whole), True))
            result.new.append(recording)
    return result


def repeats(whole: Fingerprint) -> tuple[float, float] | None:
    """start_s and end_s of sound in a recording that was in it before; None: none, or a few words."""
    same = same_sound(sparse(whole), whole, least_shift_s=_LEAST_SHIFT_S)
    return None if same is None or same.share < _REPEATED_SHARE else (same.start_s, same.end_s)


def packed(whole: Fingerprint) -> bytes:
    """The bytes that are stored of a fingerprint."""
    return sparse(whole).astype("<u4").tobytes()
