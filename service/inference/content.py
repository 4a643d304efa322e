"""Content of a whole recording on its own time line."""

from __future__ import annotations

import numpy as np

from bundle.arrays import Float32
from bundle.voice import VoiceBundle
from service.errors import Conflict
from service.inference.engine import Engine

_EDGE = 8  # frames at either end of a crop that are not used


def content_hop(bundle: VoiceBundle) -> int:
    """Samples from one content frame to the next. Raises Conflict: there is no content encoder."""
    if bundle.frame_s is None:
        raise Conflict(
            f"{bundle.id} has no content encoder: it knows voices only. Activate a version that has one "
            "(POST /models/{version}/activate), or set TWOFOLD_MODELS_DIR to a folder that holds one."
        )
    return round(bundle.frame_s * bundle.sample_rate_hz)


async def content_frames(engine: Engine, samples: Float32) -> Float32:
    """One content vector per frame: (n,) → (n // hop, content_dim); frame i starts at i · frame_s.

    Nothing is cut out, so that frames stay where they were said. Crops overlap, and the outer frames of each
    are not used: the encoder knows only what is inside of a crop, and the last four frames of one are six
    times as long as others. Before its start and after its end, a recording is continued backwards.
    Raises Overloaded, and Conflict where the model has no content encoder.
    """
    bundle = engine.bundle
    hop = content_hop(bundle)
    frames = len(samples) // hop
    if not frames:
        return np.empty((0, bundle.content_dim or 0), np.float32)
    per_crop = bundle.crop_samples // hop
    inner = per_crop - 2 * _EDGE
    crops = -(-frames // inner)
    after = (crops * inner - frames + _EDGE) * hop
    padded = np.pad(samples[: frames * hop], (_EDGE * hop, after), mode="reflect")
    starts = inner * hop * np.arange(crops)
    output = await engine.content(np.stack([padded[start : start + bundle.crop_samples] for start in starts]))
    return output[:, _EDGE:-_EDGE].reshape(-1, output.shape[-1])[:frames]
