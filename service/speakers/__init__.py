"""Enrolled voices, without HTTP: storing them, comparing them, judging their quality.

`records` are the data, `gallery` is the protocol of the stores in `sqlite_gallery` and `redis_gallery`.
`directory` keeps the gallery and the search `index` in step, and `carry` moves voices to another model. An
index has a `shelf` for each tenant, whose voices are `rows` in float32, or `split_rows` where they are many.
`decision` says whose voice it is, or that it is nobody's. `voice_map` draws them all.
"""

from service.speakers.carry import CarryOver, carry_over
from service.speakers.cipher import AudioCipher
from service.speakers.copies import Sorted, sort_out
from service.speakers.decision import Candidate, Decision, Strictness, decide
from service.speakers.directory import SpeakerDirectory
from service.speakers.enrolment import new_utterances, require_faultless
from service.speakers.gallery import Gallery
from service.speakers.index import Hit, VoiceIndex
from service.speakers.mixture import second_voice
from service.speakers.quality import Issue, Progress, Quality, assess
from service.speakers.records import (
    Changes,
    Consent,
    Embedding,
    Erasure,
    Measures,
    NewUtterance,
    Page,
    Speaker,
    Utterance,
    Voiceprints,
)
from service.speakers.redis_gallery import RedisGallery
from service.speakers.space_map import SpaceMap
from service.speakers.sqlite_gallery import SqliteGallery
from service.speakers.voice_map import VoiceMap, voice_map

__all__ = [
    "AudioCipher",
    "Candidate",
    "CarryOver",
    "Changes",
    "Consent",
    "Decision",
    "Embedding",
    "Erasure",
    "Gallery",
    "Hit",
    "Issue",
    "Measures",
    "NewUtterance",
    "Page",
    "Progress",
    "Quality",
    "RedisGallery",
    "Sorted",
    "SpaceMap",
    "Speaker",
    "SpeakerDirectory",
    "SqliteGallery",
    "Strictness",
    "Utterance",
    "VoiceIndex",
    "VoiceMap",
    "Voiceprints",
    "assess",
    "carry_over",
    "decide",
    "new_utterances",
    "require_faultless",
    "second_voice",
    "sort_out",
    "voice_map",
]
