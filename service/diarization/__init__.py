"""Who spoke when in a recording of several people.

`windows` lays overlapping windows over the speech. `condition` takes out what they share, `clustering` finds
the voices, and `resegmentation` where one follows another. `diarize` does it all; `formats` writes it down.
"""

from service.diarization.clustering import Hints
from service.diarization.diarize import Diarization, Segment, Voice, diarize
from service.diarization.formats import Turn, rttm, webvtt
from service.diarization.windows import Windows, cut_windows

__all__ = [
    "Diarization",
    "Hints",
    "Segment",
    "Turn",
    "Voice",
    "Windows",
    "cut_windows",
    "diarize",
    "rttm",
    "webvtt",
]
