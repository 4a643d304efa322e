"""Fig. 10: phonemes from content, voice and mel features, a frame at a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bundle.arrays import Float32
from trainer.audio.folders import Clip, contiguous_crops, read_audio
from trainer.pages.blocks import table
from trainer.reproduce.autodecompose.alignment import SILENCE, Aligner, PhoneSegment
from trainer.reproduce.autodecompose.features import FEATURES, frame_encoder
from trainer.reproduce.autodecompose.settings import OBJECTIVES, UNTRAINED
from trainer.reproduce.autodecompose.trainings import AutodecomposeRuns

FEATURE_FRAME_S = 0.016
SOURCE = "home"


@dataclass(frozen=True)
class Frames:
    """One row a spoken frame of every aligned recording."""

    features: Float32  # (frames, width)
    phone: NDArray[np.str_]  # (frames,)
    recording: NDArray[np.intp]  # (frames,)


def phonemes(runs: AutodecomposeRuns) -> str:
    aligned = alignments(runs)
    rows = []
    for objective in (*OBJECTIVES, UNTRAINED):
        for which in FEATURES:
            name = f"phonemes/{objective}-{which}"
            figures = runs.figures(name, partial(_compute, runs, objective, which))
            rows.append([objective, which, f"{figures['f1']:.1f} ± {figures['std']:.1f}"])
    clips = len(aligned["segments"])
    return "\n\n".join(
        [
            "## Fig. 10: phonemes",
            f"{clips} recordings of `strangers` were aligned by pocketsphinx with their transcripts. "
            f"{aligned['unaligned']} more were left out, since their transcripts did not fit. Half of the "
            "recordings train a logistic regression on frames of 16 ms, without silence. The other half "
            f"tests it. F1 in % is macro F1 over {aligned['phones']} phones, in {runs.scale.phoneme_draws} "
            f"draws of the halves. At most {runs.scale.phoneme_frames} frames are in each half. The paper "
            "prints a picture without numbers. There E_c is ahead of E_s and of the mel features.",
            table(["objective", "features", "F1"], rows),
        ]
    )


def alignments(runs: AutodecomposeRuns) -> dict[str, Any]:
    """`segments` by path below the corpus, how many clips were `unaligned`, how many `phones` there are."""

    def compute() -> dict[str, Any]:
        aligner = Aligner()
        segments: dict[str, list[dict[str, Any]]] = {}
        unaligned = 0
        for number, clip in enumerate(_clips(runs), 1):
            aligned = aligner.align(read_audio(clip.path), clip.labels.get("text", ""))
            if aligned is None:
                unaligned += 1
            else:
                segments[clip.path.name] = [asdict(segment) for segment in aligned]
            if number % 50 == 0:
                runs.say(f"aligning: {number} recordings, {unaligned} left out")
        names = {s["phone"] for phones in segments.values() for s in phones} - {SILENCE}
        return {"segments": segments, "unaligned": unaligned, "phones": len(names)}

    return runs.figures("phonemes/alignments", compute)


def labelled_frames(runs: AutodecomposeRuns, objective: str, which: str) -> Frames:
    """Spoken frames of the aligned recordings, in whole crops, with the phone at their middle."""
    segments = alignments(runs)["segments"]
    encode = frame_encoder(runs.trained_on(objective, SOURCE), which)
    features, phones, recordings = [], [], []
    for index, clip in enumerate(clip for clip in _clips(runs) if clip.path.name in segments):
        crops = contiguous_crops(read_audio(clip.path))
        if len(crops) == 0:
            continue
        frames = encode(crops)  # (crops, 64, width)
        frames = frames.reshape(-1, frames.shape[-1])
        phone = phones_at([PhoneSegment(**s) for s in segments[clip.path.name]], len(frames))
        spoken = phone != SILENCE
        features.append(frames[spoken])
        phones.append(phone[spoken])
        recordings.append(np.full(int(spoken.sum()), index))
    return Frames(np.concatenate(features), np.concatenate(phones), np.concatenate(recordings))


def phones_at(segments: list[PhoneSegment], frames: int) -> NDArray[np.str_]:
    """(frames,) the phone at the middle of each frame; silence after the last segment."""
    middles = (np.arange(frames) + 0.5) * FEATURE_FRAME_S
    place = np.searchsorted([segment.end_s for segment in segments], middles, side="right")
    return np.asarray([*(segment.phone for segment in segments), SILENCE])[place]


def _clips(runs: AutodecomposeRuns) -> list[Clip]:
    """Recordings spread over the speakers."""
    clips = runs.clips("strangers")
    most = min(runs.scale.aligned_clips, len(clips))
    return [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, most).round().astype(int))]


def _compute(runs: AutodecomposeRuns, objective: str, which: str) -> dict[str, Any]:
    frames = labelled_frames(runs, objective, which)
    scores = []
    for draw in range(runs.scale.phoneme_draws):
        rng = np.random.default_rng(draw)
        names = rng.permutation(np.unique(frames.recording))
        first = np.isin(frames.recording, names[: len(names) // 2])
        train, test = (
            _some(np.flatnonzero(side), runs.scale.phoneme_frames, rng) for side in (first, ~first)
        )
        scaler = StandardScaler().fit(frames.features[train])
        with threadpool_limits(1):
            classifier = LogisticRegression(max_iter=1000)
            classifier.fit(scaler.transform(frames.features[train]), frames.phone[train])
            guesses = classifier.predict(scaler.transform(frames.features[test]))
        known = np.unique(frames.phone[test])
        scores.append(100 * f1_score(frames.phone[test], guesses, labels=known, average="macro"))
    return {"f1": float(np.mean(scores)), "std": float(np.std(scores)), "frames": len(frames.phone)}


def _some(indices: NDArray[np.intp], most: int, rng: np.random.Generator) -> NDArray[np.intp]:
    return rng.choice(indices, min(most, len(indices)), replace=False)
