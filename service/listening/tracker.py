"""Who speaks, window by window, without flickering: the filter of a hidden Markov model.

Its states are the enrolled voices and nobody of them. The model of turns is that of `service.diarization`,
which looks at the whole recording; here only the past is known (the forward algorithm: Rabiner 1989, eq. 19).
"""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.bandwidth import Line
from bundle.vectors import unit
from service.diarization.resegmentation import TurnTaking
from service.errors import NotFound
from service.speakers import Candidate, Decision, Strictness, VoiceIndex, decide
from service.tenants import Tenant

_WINDOW_S = CROP_SAMPLES / SAMPLE_RATE_HZ
_SURE = 0.8  # probability at which another voice takes over
_UNKNOWN_PRIOR = 0.5  # that who begins to speak is not enrolled
_NEGLIGIBLE = 1e-4  # probability of a voice that is no longer followed
_FOLLOWED = 8  # enrolled voices a window that are compared
_TURN_PIECES = 32  # most of a turn that are pooled: 16 s
_UNDECIDED_S = 3.0  # of speech after which a likely voice that no decision names is unknown
_SILENCE_S = 2.0  # after which whoever speaks begins a new turn

State = str | None  # the stored id of an enrolled voice; None: nobody of them


@dataclass(frozen=True, eq=False)
class Speaking:
    """Who speaks, and what that rests on."""

    since_s: float  # when the turn began
    speech_s: float  # of the turn, that was compared
    match: Candidate | None  # None: nobody who is enrolled, or not known yet
    unknown: bool  # whether it is nobody who is enrolled
    decision: Decision | None  # about the turn alone; None: it is too short


@dataclass(frozen=True, eq=False)
class _Piece:
    start_s: float
    seconds: float
    embedding: Float32  # (dim,)


@dataclass(eq=False)
class _Turn:
    state: State
    pieces: list[_Piece]
    start_s: float
    name: str | None = None  # the shown id that was said once; it stays as long as the turn


class SpeakerTracker:
    """Follows who speaks in one stream. Its calls block for the search of an index."""

    def __init__(
        self,
        index: VoiceIndex,
        strictness: Strictness,
        *,
        tenant: Tenant,
        least_s: float,
        among: Collection[str] | None = None,
    ) -> None:
        """Names voices of `tenant`. `least_s` is the speech of a turn that a decision needs.

        `among` are the stored ids whose names may be said; None: all of the tenant.
        """
        self._index = index
        self._strictness = strictness
        self.line = Line.WIDE  # that the stream comes over; may change as more is known
        self._tenant = tenant
        self._among = among
        self._least_s = least_s
        self._turns = TurnTaking()
        self._probabilities: dict[State, float] = {None: 1.0}
        self._turn: _Turn | None = None
        self._doubtful: list[_Piece] = []  # the last ones, in which another voice is likelier
        self._end_s = -math.inf

    def take(self, embedding: Float32, *, seconds: float, end_s: float, pause: bool) -> None:
        """The next window of speech.

        Args:
            embedding: (dim,) unit voice.
            seconds: of speech that no window before it held.
            end_s: where the window ends.
            pause: whether a region of speech begins with it.
        """
        piece = _Piece(end_s - seconds, seconds, embedding)
        if piece.start_s - self._end_s > _SILENCE_S:
            self._turn, self._doubtful, self._probabilities = None, [], {None: 1.0}
        self._end_s = end_s
        self._filter(piece, pause or self._turn is None)
        likeliest = max(self._probabilities, key=self._probabilities.__getitem__)
        if self._turn is None:
            self._turn = _Turn(likeliest, [piece], piece.start_s)
        elif likeliest == self._turn.state:
            self._turn.pieces = [*self._turn.pieces, *self._doubtful, piece][-_TURN_PIECES:]
            self._doubtful = []
        else:
            self._doubtful.append(piece)
            if self._probabilities[likeliest] >= _SURE:
                self._turn = _Turn(likeliest, self._doubtful, self._doubtful[0].start_s)
                self._doubtful = []

    def speaking(self) -> Speaking | None:
        """Who spoke in the last window; None before the first."""
        turn = self._turn
        if turn is None:
            return None
        seconds = np.array([piece.seconds for piece in turn.pieces])
        speech_s = float(seconds.sum())
        if speech_s < self._least_s:
            return Speaking(turn.start_s, speech_s, None, unknown=False, decision=None)
        decision = decide(
            self._index,
            unit(np.average(np.stack([piece.embedding for piece in turn.pieces]), axis=0, weights=seconds)),
            seconds=speech_s,
            strictness=replace(self._strictness, line=self.line),
            tenant=self._tenant.name,
            among=self._among,
            top_k=_FOLLOWED,
        )
        match = decision.match
        if turn.name is None and match and turn.state in (None, self._tenant.stored(match.speaker_id)):
            turn.name = match.speaker_id
        named = [c for c in decision.candidates if c.speaker_id == turn.name]
        unknown = not named and (turn.state is None or speech_s >= _UNDECIDED_S)
        return Speaking(turn.start_s, speech_s, named[0] if named else None, unknown, decision)

    def _filter(self, piece: _Piece, pause: bool) -> None:
        """Weighs every voice with a new window: what was known, a change of turns, the window's evidence."""
        turns, known = self._turns, self._probabilities
        change = turns.after_pause if pause else 1 - math.exp(-piece.seconds / turns.turn_s)
        voices, _ = self._index.counts(self._tenant.name)
        calibration = self._index.scorer.calibration(_WINDOW_S, narrow=self.line.narrow)
        prior = (1 - _UNKNOWN_PRIOR) / max(voices, 1)
        weights: dict[State, float] = {None: (1 - change) * known[None] + change * _UNKNOWN_PRIOR}
        for voice, score in self._scores(piece.embedding).items():
            ratio = calibration.slope * score + calibration.intercept
            # Windows overlap: each adds what its own share of speech is worth.
            evidence = math.exp(ratio * min(1.0, piece.seconds / _WINDOW_S))
            weights[voice] = ((1 - change) * known.get(voice, 0.0) + change * prior) * evidence
        total = sum(weights.values())
        self._probabilities = {
            voice: weight / total
            for voice, weight in weights.items()
            if voice is None or weight > _NEGLIGIBLE * total
        }

    def _scores(self, embedding: Float32) -> dict[str, float]:
        """Of the voices that are most like a window, and of those that are followed already."""
        hits = self._index.search(embedding, _FOLLOWED, self._tenant.name)
        scores = {hit.speaker_id: hit.score for hit in hits}
        for voice in self._probabilities:
            if voice is None or voice in scores:
                continue
            with suppress(NotFound):  # erased meanwhile
                centred = self._index.centred(voice)
                if centred is not None:
                    scores[voice] = self._index.scorer.score_centred(embedding, centred)
        return scores
