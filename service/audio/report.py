"""What is measured of a recording, for answers: never copied from a header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bundle.bandwidth import Line, bandwidth_hz, line_of
from service.audio.decode import DecodedRecording
from service.audio.level import Levelled
from service.audio.quality import estimate_snr_db
from service.audio.vad import Region

#: Of `Line.FILTERED`.
FILTERED_WARNING = (
    "Nothing of the voice is left below 200 Hz, nor in the highs, as behind the filter of a telephone line. "
    "All voices sound alike there: nobody is named, unless you give `threshold`. Ask for a wider recording."
)
_CLIPPED = 0.001  # share of the samples from which on the voice is another
_NOISY_DB = 13.0
_QUIET_DBFS = -60.0


@dataclass(frozen=True)
class AudioReport:
    """A recording as it came."""

    codec: str  # FFmpeg's name of it
    sample_rate_hz: int  # that was decoded
    channels: int
    bandwidth_hz: int | None  # up to which the voice stands out, at most 8000; None: too little speech
    level_dbfs: float | None  # RMS of its speech; None: silence
    clipped: float  # share of its samples
    snr_db: float | None
    speech_s: float
    line: Line
    warnings: tuple[str, ...]

    @property
    def narrow(self) -> bool:
        """Whether it is as narrow as a telephone line."""
        return self.line.narrow


def report(
    decoded: DecodedRecording, levelled: Levelled, regions: Sequence[Region], speech_s: float
) -> AudioReport:
    """Measures a recording.

    Args:
        levelled: its samples, brought to one level.
        regions: of speech, together `speech_s` long.
    """
    speech = [region.of(levelled.samples) for region in regions]
    bandwidth = bandwidth_hz(speech)
    line = line_of(speech, bandwidth)
    level = round(20 * float(np.log10(levelled.rms)), 1) if levelled.rms > 0 else None
    snr = estimate_snr_db(levelled.samples, regions)
    warnings = list(decoded.warnings)
    if line is Line.FILTERED:
        warnings.append(FILTERED_WARNING)
    elif line is Line.NARROW:
        warnings.append(
            f"The voice is heard up to {bandwidth} Hz only, as on a telephone line or in loud noise. "
            "Scores are less sure than the threshold says; where it matters, ask for a wider recording."
        )
    if decoded.clipped > _CLIPPED:
        warnings.append(
            f"{100 * decoded.clipped:.1f} % of the samples are clipped, which changes the voice. "
            "Record at a lower level."
        )
    if snr is not None and snr < _NOISY_DB:
        warnings.append(
            f"The background is loud: the voice is {snr:.0f} dB above it. Record closer to the microphone."
        )
    if level is not None and level < _QUIET_DBFS:
        warnings.append(f"The recording is very quiet ({level:.0f} dBFS). Record at a higher level.")
    return AudioReport(
        codec=decoded.codec,
        sample_rate_hz=decoded.source_rate_hz,
        channels=decoded.source_channels,
        bandwidth_hz=bandwidth,
        level_dbfs=level,
        clipped=round(decoded.clipped, 5),
        snr_db=None if snr is None else round(snr, 1),
        speech_s=speech_s,
        line=line,
        warnings=tuple(warnings),
    )
