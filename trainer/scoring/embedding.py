"""Recordings → crop and utterance embeddings, the same way for every encoder that is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.audio import CROP_SAMPLES, SAMPLE_RATE_HZ
from bundle.vectors import pool_utterance
from trainer.audio.folders import Clip, DataError, contiguous_crops, fill_crop, read_audio

CropEncoder = Callable[[Float32], Float32]  # (crops, 16384) → (crops, dim)
Condition = Callable[[Float32, int], Float32]  # a recording and its number → what arrives

MIN_REMAINDER_S = 0.25  # of a recording's end, for one more crop
CROPS_AT_ONCE = 256  # decoded ahead of one encoder call: 16 MB of samples


class EncoderName(StrEnum):
    """The encoders of a bundle that can be measured."""

    VOICE = "voice"
    CONTENT = "content"


@dataclass(frozen=True)
class EmbeddedClips:
    """Embeddings of a set of clips.

    Attributes:
        clips: those that could be read.
        utterances: (clips, dim) mean of the clip's crop embeddings, scaled to unit length.
        crops: (crops, dim) the whole contiguous crops from each clip's start, without the extra one at its
            end.
        crop_clip: (crops,) which clip each crop is of.
        skipped: why a file was left out, one line a file.
    """

    clips: list[Clip]
    utterances: Float32
    crops: Float32
    crop_clip: NDArray[np.intp]
    skipped: list[str]


@dataclass(frozen=True)
class EncodedClips:
    """What encoders make of every crop of a set of clips.

    Attributes:
        clips: those that could be read.
        vectors: (crops, dim) for each encoder, with the extra crop at the end of a clip.
        crop_clip: (crops,) which clip each crop is of, ascending.
        contiguous: (crops,) false for an extra crop.
        skipped: why a file was left out, one line a file.
    """

    clips: list[Clip]
    vectors: tuple[Float32, ...]
    crop_clip: NDArray[np.intp]
    contiguous: NDArray[np.bool_]
    skipped: list[str]

    def pooled(self, vectors: Float32) -> EmbeddedClips:
        """Vectors of the crops (crops, dim), as they are or transformed, with those of their clips."""
        starts = np.flatnonzero(np.diff(self.crop_clip)) + 1
        return EmbeddedClips(
            clips=self.clips,
            utterances=np.stack([pool_utterance(crops) for crops in np.split(vectors, starts)]),
            crops=vectors[self.contiguous],
            crop_clip=self.crop_clip[self.contiguous],
            skipped=self.skipped,
        )


def utterance_crops(samples: Float32) -> Float32:
    """The crops an utterance embedding is the mean of: (samples,) → (crops, 16384).

    Contiguous crops from the start; when at least 0.25 s are left over, one more that ends where the
    recording ends (it overlaps the one before). A recording shorter than a crop is repeated until it fills
    one.
    """
    whole = contiguous_crops(samples)
    if len(whole) == 0:
        return fill_crop(samples)[None, :]
    if samples.size - whole.size >= MIN_REMAINDER_S * SAMPLE_RATE_HZ:
        return np.concatenate([whole, samples[None, -CROP_SAMPLES:]])
    return whole


def embed_clips(
    clips: Sequence[Clip],
    encode: CropEncoder,
    *,
    on_clip: Callable[[], None] | None = None,
    condition: Condition | None = None,
) -> EmbeddedClips:
    """Embeds every clip; arguments and errors as for `encode_clips`."""
    encoded = encode_clips(clips, [encode], on_clip=on_clip, condition=condition)
    return encoded.pooled(encoded.vectors[0])


def encode_clips(
    clips: Sequence[Clip],
    encoders: Sequence[CropEncoder],
    *,
    on_clip: Callable[[], None] | None = None,
    condition: Condition | None = None,
) -> EncodedClips:
    """Decodes every clip once and shows its crops to each encoder.

    No more samples are held than one call of an encoder takes. Files that cannot be read are named in
    `skipped`.

    Args:
        condition: what happens to each recording first.
        on_clip: called after each clip has been read, for a progress bar.

    Raises:
        DataError: not one of the clips could be read.
    """
    readable: list[Clip] = []
    skipped: list[str] = []
    whole: list[int] = []  # contiguous crops of each readable clip
    counts: list[int] = []  # the same with the extra crop at the end

    def pieces() -> Iterator[Float32]:
        for index, clip in enumerate(clips):
            try:
                samples = read_audio(clip.path)
                if condition is not None:
                    samples = condition(samples, index)
            except DataError as error:
                skipped.append(str(error))
            else:
                crops = utterance_crops(samples)
                readable.append(clip)
                whole.append(samples.size // CROP_SAMPLES)
                counts.append(len(crops))
                yield crops
            if on_clip is not None:
                on_clip()

    parts = [[encode(batch) for encode in encoders] for batch in _batched(pieces())]
    if not parts:
        raise DataError(f"None of the {len(clips)} files could be read. The first: {skipped[:1]}")
    crop_clip = np.repeat(np.arange(len(readable)), counts)
    starts = np.cumsum([0, *counts[:-1]])
    position = np.arange(len(crop_clip)) - starts[crop_clip]  # of each crop within its clip
    return EncodedClips(
        clips=readable,
        vectors=tuple(np.concatenate(vectors) for vectors in zip(*parts, strict=True)),
        crop_clip=crop_clip,
        contiguous=position < np.asarray(whole)[crop_clip],
        skipped=skipped,
    )


def _batched(pieces: Iterator[Float32]) -> Iterator[Float32]:
    waiting: list[Float32] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(map(len, waiting)) >= CROPS_AT_ONCE:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
