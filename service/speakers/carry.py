"""What becomes of enrolled voices when another model takes over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from bundle.arrays import Float32
from bundle.scoring import Scorer
from service.errors import TwofoldError
from service.speakers.enrolment import embed_recordings
from service.speakers.gallery import Gallery
from service.speakers.records import Speaker
from service.speakers.space_map import SpaceMap

#: A retained recording → unit embeddings (crops, dim) of its crops under the model that takes over.
EmbedAudio = Callable[[bytes], Awaitable[Float32]]

_PAGE = 100


@dataclass(frozen=True)
class CarryOver:
    """How many speakers went which way."""

    reembedded: int  # got a new voiceprint from retained audio, and by the map where some was not retained
    mapped: int  # got one by the map from the parent model: an approximation
    kept: int  # had one already: the model has served before
    stale: int  # have none, for want of audio and a map: not searched until audio is added

    def then(self, later: CarryOver) -> CarryOver:
        """Both runs as one: what the earlier one carried over, the later one found already there."""
        return CarryOver(
            reembedded=self.reembedded + later.reembedded,
            mapped=self.mapped + later.mapped,
            kept=max(
                later.kept - self.reembedded - self.mapped, 0
            ),  # fewer when speakers were erased in between
            stale=later.stale,
        )


async def carry_over(
    gallery: Gallery, model: str, scorer: Scorer, embed_audio: EmbedAudio, space_map: SpaceMap | None = None
) -> CarryOver:
    """Gives speakers a voiceprint under `model` where it can be done; old voiceprints stay, for a rollback.

    Retained audio is embedded anew; recordings without audio go through `space_map`.

    Each speaker is stored on its own, so that an interrupted run can simply be started again. Raises
    StoreUnavailable, and Overloaded when `embed_audio` does.
    """
    reembedded = mapped = kept = stale = 0
    after: str | None = None
    while True:
        page = await asyncio.to_thread(gallery.list, limit=_PAGE, after=after)
        for speaker in page.speakers:
            embedded = await _reembed(gallery, speaker, model, scorer, embed_audio)
            came_through = space_map and await _map(gallery, speaker, model, space_map, embedded)
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
    """Ids of the utterances that were embedded."""
    crops: dict[int, Float32] = {}
    for utterance in speaker.utterances:
        if model in utterance.embeddings or not utterance.retained:
            continue
        audio = await asyncio.to_thread(gallery.audio, utterance.utterance_id)
        if audio is None:  # erased meanwhile
            continue
        try:
            crops[utterance.utterance_id] = await embed_audio(audio)
        except TwofoldError as error:
            if error.status != 422 and error.status != 413:
                raise
            # What was speech to an earlier release is none to this one: as if the audio were not there.
            continue
    if not crops:
        return ()
    embeddings = embed_recordings(list(crops.values()), scorer, speaker.embeddings(model))
    new = dict(zip(crops, embeddings, strict=True))
    stored = await asyncio.to_thread(gallery.add_embeddings, speaker.speaker_id, model, new)
    return new.keys() if stored else ()


async def _map(
    gallery: Gallery, speaker: Speaker, model: str, space_map: SpaceMap, embedded: Collection[int]
) -> bool:
    old = {
        utterance.utterance_id: utterance.embeddings[space_map.parent]
        for utterance in speaker.utterances
        if space_map.parent in utterance.embeddings
        and model not in utterance.embeddings
        and utterance.utterance_id not in embedded
    }
    if not old:
        return False
    new = {utterance_id: space_map(embedding) for utterance_id, embedding in old.items()}
    return await asyncio.to_thread(gallery.add_embeddings, speaker.speaker_id, model, new)
