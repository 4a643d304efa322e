"""DSPSpeech-20 (github.com/zhongyuchen/DSPSpeech-20, MIT): words of 34 students, each at their own computer.

A file is one word of two seconds, too short to hear a voice in two separate crops. So the words of a student
are joined ten at a time, without their silent edges. They are sorted by take, so a clip holds ten different
words.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from trainer.audio.folders import DataError
from trainer.corpora.folder import CorpusRecording

WORDS_PER_CLIP = 10  # of 20 words a take: about 12 s
_NAME = re.compile(r"(?P<student>\d+)-(?P<word>\d+)-(?P<take>\d+)")


def recordings(root: Path) -> list[CorpusRecording]:
    """Ten words a clip. A speaker is called by a hash of the student's number; all are in the split `train`.

    Args:
        root: the folder that holds `speech_data/<student>/<student>-<word>-<take>.wav`.

    Raises:
        DataError: there is no such file.
    """
    clips = []
    for folder in sorted((root / "speech_data").glob("*/")):
        names = {path: _NAME.fullmatch(path.stem) for path in folder.glob("*.wav")}
        order = {path: (match["take"], match["word"]) for path, match in names.items() if match}
        speaker = sha256(folder.name.encode()).hexdigest()[:8]
        files = sorted(order, key=order.__getitem__)
        for start in range(0, len(files), WORDS_PER_CLIP):
            first, *following = files[start : start + WORDS_PER_CLIP]
            name = f"{start // WORDS_PER_CLIP:02d}"
            clips.append(
                CorpusRecording(first, name, speaker, "train", following=tuple(following), trimmed=True)
            )
    if not clips:
        raise DataError(
            f"{root} holds no speech_data/STUDENT/STUDENT-WORD-TAKE.wav. Clone the repository again."
        )
    return clips
