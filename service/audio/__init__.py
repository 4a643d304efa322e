"""From an audio file to crops of speech: decoding, speech detection and cutting at 16 kHz mono.

`decode` reads files: `files` checks one with `containers` and opens it with `readers`, `channels` makes one
channel of several. `level` brings it to one level, `vad` and `silero` find speech, `crops` cuts it, `report`
measures it, with `quality` and `bundle.bandwidth`. `prepare` does all of it; `decoder` runs that in threads.
"""

from service.audio.crops import Crops, cut_crops, loudest_second
from service.audio.decode import DecodedRecording, decode
from service.audio.encode import encode_flac, encode_opus, encode_wav
from service.audio.limits import AudioLimits
from service.audio.prepare import PreparedRecording, prepare
from service.audio.quality import estimate_snr_db
from service.audio.vad import Region, SpeechDetector, VadSettings

__all__ = [
    "AudioLimits",
    "Crops",
    "DecodedRecording",
    "PreparedRecording",
    "Region",
    "SpeechDetector",
    "VadSettings",
    "cut_crops",
    "decode",
    "encode_flac",
    "encode_opus",
    "encode_wav",
    "estimate_snr_db",
    "loudest_second",
    "prepare",
]
