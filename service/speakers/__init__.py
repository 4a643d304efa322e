"""Enrolled voices: where they are kept, how they are compared, how good they are. Knows nothing of HTTP."""

from service.speakers.carry import CarryOver, carry_over
from service.speakers.cipher import AudioCipher
from service.speakers.directory import SpeakerDirectory
from service.speakers.enrolment import new_utterances
from service.speakers.gallery import Gallery
from service.speakers.index import Hit, VoiceIndex
from service.speakers.quality import Quality, assess
from service.speakers.records import Embedding, NewUtterance, Page, Speaker, Utterance, Voiceprints
from service.speakers.redis_gallery import RedisGallery
from service.speakers.space_map import SpaceMap
from service.speakers.sqlite_gallery import SqliteGallery

__all__ = [
    "AudioCipher",
    "CarryOver",
    "Embedding",
    "Gallery",
    "Hit",
    "NewUtterance",
    "Page",
    "Quality",
    "RedisGallery",
    "SpaceMap",
    "Speaker",
    "SpeakerDirectory",
    "SqliteGallery",
    "Utterance",
    "VoiceIndex",
    "Voiceprints",
    "assess",
    "carry_over",
    "new_utterances",
]
