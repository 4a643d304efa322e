"""`collection` and `collections`: which of a tenant's voices a call is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from service.errors import NotFound
from service.speakers import Page, SpeakerDirectory
from service.speakers.collections import COLLECTION, MOST_COLLECTIONS
from service.speakers.thresholds import StoredThreshold
from service.tenants import Tenant


def _without_repeats(names: list[str]) -> list[str]:
    return sorted(set(names))


KEEPS_TO = "Keeps to voices that are in one of these collections; repeatable. Default: all voices."
CollectionName = Annotated[str, StringConstraints(pattern=COLLECTION)]
Collections = Annotated[
    list[CollectionName],
    Field(max_length=MOST_COLLECTIONS),
    AfterValidator(_without_repeats),
]


class CollectionParams(BaseModel):
    """Which voices are searched."""

    collection: Collections = Field(default_factory=list, description=KEEPS_TO)

    def among(self, directory: SpeakerDirectory, tenant: Tenant) -> Collection[str] | None:
        """The stored ids of these voices; None for all voices of the tenant."""
        return directory.collections.among(tenant, self.collection)

    def stored(self, directory: SpeakerDirectory, tenant: Tenant) -> Sequence[StoredThreshold | None]:
        """The stored threshold of each of these collections; None where it has none."""
        return directory.thresholds.among(tenant, self.collection)


class MembershipParams(BaseModel):
    """Which collections a new voice is in."""

    collection: Collections = Field(
        default_factory=list, description="Collections that the voice is in from now on; repeatable."
    )


async def page_and_total(
    directory: SpeakerDirectory,
    tenant: Tenant,
    collection: Collection[str],
    *,
    limit: int,
    after: str | None,
) -> tuple[Page, int]:
    """At most `limit` speakers of these collections after a stored id, and how many there are in all.

    Without collections they are all of the tenant. Raises StoreUnavailable.
    """
    gallery, run = directory.gallery, directory.threads.run
    members = directory.collections.among(tenant, collection)
    if members is None:
        page = await run(gallery.list, limit=limit, after=after, within=tenant.ids)
        return page, await run(gallery.count, tenant.ids)

    def read() -> Page:
        ids = sorted(member for member in members if after is None or member > after)
        speakers = []
        for speaker_id in ids[:limit]:
            with suppress(NotFound):  # erased meanwhile
                speakers.append(gallery.get(speaker_id))
        return Page(tuple(speakers), next_after=ids[limit - 1] if len(ids) > limit else None)

    return await run(read), len(members)
