"""What was acknowledged, and what may therefore be there after a kill."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Voice:
    """One enrolment, and the states that it may be in. One client at a time changes it."""

    speaker_id: str
    token: str  # in its name and metadata, and nowhere else
    recordings: set[int] = field(default_factory=lambda: {0})  # how many it may have; 0: not enrolled
    traces: list[bytes] = field(default_factory=list)  # bytes that no other voice has

    @property
    def erased(self) -> bool:
        return self.recordings == {0}

    @property
    def certain(self) -> bool:
        """Whether every answer about it has come."""
        return len(self.recordings) == 1


@dataclass
class Verdict:
    """What was found that must not be. Each is a sentence."""

    lost: list[str] = field(default_factory=list)  # acknowledged, and not there
    half: list[str] = field(default_factory=list)  # there, but not whole
    returned: list[str] = field(default_factory=list)  # erased, and there again
    left: list[str] = field(default_factory=list)  # erased, and in a file
    defects: list[str] = field(default_factory=list)  # an answer 500, or one that makes no sense

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not any(vars(self).values())

    def add(self, other: Verdict) -> None:
        """Joins the findings of another run."""
        for name, sentences in vars(other).items():
            vars(self)[name] += sentences


class Oracle:
    """Knows every voice, job and switch. Thread-safe."""

    def __init__(self, *, most_jobs: int) -> None:
        self.most_jobs = most_jobs
        self.acknowledged = 0
        self.refused = 0  # or cut off by a kill
        self.verdict = Verdict()
        self.voices: dict[str, Voice] = {}
        self.jobs: list[str] = []
        self.models: set[str] = set()  # that may serve; empty before the first switch
        self._lock = threading.Lock()

    def answered(self, *, acknowledged: bool) -> None:
        """Counts a write."""
        with self._lock:
            self.acknowledged += acknowledged
            self.refused += not acknowledged

    def judge_voices(self, shown: Mapping[str, Mapping[str, Any]]) -> None:
        """Compares with what GET /speakers shows, by id. To be called while no write is under way."""
        for speaker_id in shown.keys() - self.voices.keys():
            self.verdict.defects.append(f"{speaker_id} was never enrolled")
        for voice in self.voices.values():
            self._judge(voice, shown.get(voice.speaker_id))

    def judge_model(self, active: str) -> None:
        """Compares with the model that serves."""
        if self.models and active not in self.models:
            self.verdict.lost.append(f"the switch to {' or '.join(self.models)}: {active} serves")
        self.models = {active}

    def _judge(self, voice: Voice, shown: Mapping[str, Any] | None) -> None:
        recordings = 0 if shown is None else int(shown["utterances"])
        verdict, who = self.verdict, voice.speaker_id
        if recordings not in voice.recordings:
            if voice.erased:
                verdict.returned.append(who)
            elif recordings < min(voice.recordings):
                verdict.lost.append(f"{who}: {recordings} recordings, not {voice.recordings}")
            else:
                verdict.half.append(f"{who}: {recordings} recordings, not {voice.recordings}")
        voice.recordings = {recordings}
        if shown is None:
            return
        whole = (shown["name"], shown["metadata"]) == (voice.token, {"token": voice.token})
        if not (whole and shown["audio_retained"]) or shown["stale"]:
            verdict.half.append(f"{who}: {dict(shown)}")
