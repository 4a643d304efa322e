"""Recognises audio files by their bytes, and checks the lengths that they declare.

Decoders read many damaged files without an error. They therefore get a file after its structure was walked
here: `riff` for all that is made of chunks, `ogg`, `mpeg`, `isomedia` (mp4) and `ebml` (webm). `kinds` is the
list of what is read, and `sniff` finds out what came.
"""

from service.audio.containers.kinds import CONTAINERS, READABLE, Container
from service.audio.containers.ogg import check_ogg
from service.audio.containers.sniff import looks_like_audio, sniff, what_came

__all__ = ["CONTAINERS", "READABLE", "Container", "check_ogg", "looks_like_audio", "sniff", "what_came"]
