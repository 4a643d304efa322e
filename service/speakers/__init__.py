"""Enrolled voices: where they are kept, how they are compared, how good they are. Knows nothing of HTTP."""

from service.speakers.gallery import Gallery
from service.speakers.index import Hit, VoiceIndex
from service.speakers.quality import Quality, assess
from service.speakers.records import Embedding, NewUtterance, Page, Speaker, Utterance, Voiceprints
from service.speakers.scoring import Scorer
from service.speakers.sqlite import SqliteGallery

__all__ = [
    "Embedding",
    "Gallery",
    "Hit",
    "NewUtterance",
    "Page",
    "Quality",
    "Scorer",
    "Speaker",
    "SqliteGallery",
    "Utterance",
    "VoiceIndex",
    "Voiceprints",
    "assess",
]
