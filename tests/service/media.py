"""Files of every format, made by FFmpeg's encoders."""

from __future__ import annotations

from io import BytesIO

import av
import numpy as np
import soxr

from bundle.arrays import Float32
from tests.service.signals import RATE


def media(
    samples: Float32,
    container: str,
    codec: str,
    *,
    rate: int = 48_000,
    options: dict[str, str] | None = None,
    video: bool = False,
) -> bytes:
    """`samples` (n,) at 16 kHz as a file, resampled to `rate`.

    Args:
        container, codec: FFmpeg's names.
        options: of the container.
        video: whether a second of grey pictures comes with it.
    """
    file = BytesIO()
    pcm = (np.clip(soxr.resample(samples, RATE, rate), -1, 1) * 32767).astype("<i2")
    with av.open(file, "w", format=container, container_options=options or {}) as out:
        sound = out.add_stream(codec, rate=rate, layout="mono")
        if codec == "wmav2":
            sound.bit_rate = 48_000
        if video:
            pictures = out.add_stream("mpeg4", rate=10)
            pictures.width = pictures.height = 64
            for _ in range(10):
                picture = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8))
                out.mux(pictures.encode(picture))
            out.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = rate
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    return file.getvalue()
