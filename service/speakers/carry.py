"""Moves enrolled voices to a model that takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass

from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.errors import InvalidAudio, NoSpeech, TooLarge
from service.speakers.enrolment import embed_recordings
from service.speakers.gallery import Gallery
from service.speakers.records import Embedding, Speaker
from service.speakers.space_map import SpaceMap

#: A retained recording → unit embeddings (crops, dim) of its crops under the new model.
EmbedAudio = Callable[[bytes], Awaitable[Float32]]

_PAGE = 100


@dataclass(frozen=True)
class CarryOver:
    """How many speakers got a voiceprint in which way."""

    reembedded: int  # from retained audio; recordings without audio went through the map
    mapped: int  # by a map from the parent model or back to it: an approximation
    kept: int  # had a voiceprint already, because the model has served before
    stale: int  # without audio and map, none: not searched until audio is added

    def then(self, later: CarryOver) -> CarryOver:
        """Both runs as one. What this run carried over, the `later` run counted as kept."""
        return CarryOver(
            reembedded=self.reembedded + later.reembedded,
            mapped=self.mapped + later.mapped,
            # Speakers may have been erased in between.
            kept=max(later.kept - self.reembedded - self.mapped, 0),
            stale=later.stale,
        )


async def carry_over(
    gallery: Gallery,
    model: str,
    scorer: Scorer,
    embed_audio: EmbedAudio,
    space_maps: Sequence[SpaceMap] = (),
) -> CarryOver:
    """Gives speakers a voiceprint under `model` where possible. Old voiceprints stay, for a rollback.

    Retained audio is embedded anew. Recordings without audio go through the first of `space_maps` that takes
    them.

    Each speaker is stored separately, so an interrupted run can be started again. Raises StoreUnavailable,
    and Overloaded when `embed_audio` does.
    """
    reembedded = mapped = kept = stale = 0
    after: str | None = None
    while True:
        page = await asyncio.to_thread(gallery.list, limit=_PAGE, after=after)
        for speaker in page.speakers:
            embedded = await _reembed(gallery, speaker, model, scorer, embed_audio)
            came_through = await _map(gallery, speaker, model, space_maps, embedded)
            if embedded:
                reembedded += 1
            elif speaker.voiceprint(model) is not None:
                kept += 1
            elif came_through:
                mapped += 1
            else:
                stale += 1
        after = page.next_after
        if after is None:
            return CarryOver(reembedded, mapped, kept, stale)


async def _reembed(
    gallery: Gallery, speaker: Speaker, model: str, scorer: Scorer, embed_audio: EmbedAudio
) -> Collection[int]:
    """Embeds the retained recordings of a speaker. Returns the ids of their utterances."""
    crops: dict[int, Float32] = {}
    for utterance in speaker.utterances:
        if model in utterance.embeddings or not utterance.retained:
            continue
        audio = await asyncio.to_thread(gallery.audio, utterance.utterance_id)
        if audio is None:  # erased meanwhile
            continue
        try:
            crops[utterance.utterance_id] = await embed_audio(audio)
        except (InvalidAudio, NoSpeech, TooLarge):
            # This release finds no speech in the recording, although an earlier one did. Treated as no audio.
            continue
    if not crops:
        return ()
    embeddings = embed_recordings(list(crops.values()), scorer, speaker.embeddings(model))
    new = dict(zip(crops, embeddings, strict=True))
    stored = await asyncio.to_thread(gallery.add_embeddings, speaker.speaker_id, model, new)
    return new.keys() if stored else ()


async def _map(
    gallery: Gallery,
    speaker: Speaker,
    model: str,
    space_maps: Sequence[SpaceMap],
    embedded: Collection[int],
) -> bool:
    """Maps the speaker's other embeddings from another model. Returns whether there were any."""
    new: dict[int, Embedding] = {}
    for utterance in speaker.utterances:
        if model in utterance.embeddings or utterance.utterance_id in embedded:
            continue
        for space_map in space_maps:
            if space_map.source in utterance.embeddings:
                new[utterance.utterance_id] = space_map(utterance.embeddings[space_map.source])
                break
    if not new:
        return False
    return await asyncio.to_thread(gallery.add_embeddings, speaker.speaker_id, model, new)
