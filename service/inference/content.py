"""Content of a whole recording on its own time line."""

from __future__ import annotations

import numpy as np

from bundle.arrays import Float32
from bundle.voice import VoiceBundle
from service.errors import Conflict
from service.inference.engine import Engine


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

    Nothing is cut out, so that frames stay where they were said. A recording that is no whole number of crops
    ends with a crop that overlaps the one before; one shorter than a crop is repeated to fill it.
    Raises Overloaded, and Conflict where the model has no content encoder.
    """
    bundle = engine.bundle
    hop = content_hop(bundle)
    frames = len(samples) // hop
    whole = samples[: frames * hop]
    if len(whole) < bundle.crop_samples:
        return (await engine.content(np.resize(whole, (1, bundle.crop_samples))))[0, :frames]
    crops = len(whole) // bundle.crop_samples
    waveforms = whole[: crops * bundle.crop_samples].reshape(crops, bundle.crop_samples)
    rest = len(whole) - waveforms.size
    if rest:
        waveforms = np.concatenate([waveforms, whole[None, -bundle.crop_samples :]])
    output = await engine.content(waveforms)  # (crops, frames per crop, content_dim)
    output = output.reshape(-1, output.shape[-1])
    if not rest:
        return output
    per_crop = bundle.crop_samples // hop
    return np.concatenate([output[: crops * per_crop], output[len(output) - rest // hop :]])
