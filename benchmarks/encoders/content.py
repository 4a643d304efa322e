"""The content encoder of a run on train speakers: is the voice in it, and are the words?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from trainer.audio.folders import read_folder
from trainer.autodecompose.objective import Objective
from trainer.metrics import few_shot
from trainer.reproduce.autodecompose.features import frame_encoder, pooled_encoder
from trainer.reproduce.autodecompose.words import word_features
from trainer.scoring.embedding import embed_clips

VOICES = "speechocean762"
SPEAKERS = 30
WORDS = "arabic_speech_commands"
STEP = 3  # every n-th recording of a word


@dataclass(frozen=True)
class ContentFigures:
    speaker_f1: float  # per cent, from 10 s a speaker: what of the voice is left
    words: float  # per cent of 40 words, by speakers whose labels were not seen


def content_figures(objective: Objective, data: Path) -> ContentFigures:
    return ContentFigures(_speaker_f1(objective, data), _words(objective, data))


def _speaker_f1(objective: Objective, data: Path) -> float:
    clips = read_folder(data / VOICES, "train")
    chosen = set(sorted({clip.speaker for clip in clips})[1::2][:SPEAKERS])
    embedded = embed_clips([c for c in clips if c.speaker in chosen], pooled_encoder(objective, "E_c"))
    speakers = [embedded.clips[i].speaker for i in embedded.crop_clip]
    return few_shot(embedded.crops, speakers, seconds=(10,))[10].f1


def _words(objective: Objective, data: Path) -> float:
    """Every third speaker of the train split is tested, the others labelled."""
    clips = read_folder(data / WORDS, "train")[::STEP]
    features = word_features(frame_encoder(objective, "E_c"), clips)
    words = np.asarray([clip.labels["word"] for clip in clips])
    tested = np.isin([clip.speaker for clip in clips], sorted({clip.speaker for clip in clips})[::3])
    scaler = StandardScaler().fit(features[~tested])
    with threadpool_limits(1):
        classifier = LogisticRegression(C=0.01, max_iter=1000)
        classifier.fit(scaler.transform(features[~tested]), words[~tested])
        return 100 * float(classifier.score(scaler.transform(features[tested]), words[tested]))
