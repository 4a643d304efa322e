from __future__ import annotations

import numpy as np
import pytest

from service.speakers import VoiceIndex, VoiceMap, voice_map
from service.tenants import Tenant
from tests.service.speakers.test_index import make_scorer, voiceprints, voices


def draw(
    prints: np.ndarray, ids: tuple[str, ...] | None = None, *, tenant: str = "", limit: int = 100
) -> VoiceMap:
    ids = ids or tuple(f"s{i}" for i in range(len(prints)))
    index = VoiceIndex("m/1", make_scorer(), voiceprints(ids, prints))
    return voice_map(index, tenant, limit=limit, target_fpr=0.01)


def test_distances_on_the_map_are_those_of_the_plane_that_shows_most() -> None:
    prints = voices(30)
    drawn = draw(prints)
    centred = make_scorer().centred(prints)
    spread = centred - centred.mean(axis=0)
    values = np.linalg.eigvalsh(spread.T @ spread)
    places = np.array([(p.x, p.y) for p in drawn.points])
    assert np.sort((places**2).sum(axis=0))[::-1] == pytest.approx(values[-2:][::-1], rel=1e-3)
    assert drawn.explained == pytest.approx(values[-2:].sum() / values.sum(), abs=1e-3)
    assert [p.speaker_id for p in drawn.points] == [f"s{i}" for i in range(30)]


def test_voices_that_would_pass_for_each_other_are_pairs() -> None:
    prints = voices(4)
    twin = prints[1] + 0.05 * voices(1, seed=5)[0]
    drawn = draw(np.vstack([prints, twin / np.linalg.norm(twin)]))
    assert [(pair.first, pair.second) for pair in drawn.pairs] == [("s1", "s4")]
    assert drawn.pairs[0].score >= drawn.threshold == 0.4


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_voices_have_a_map_too(n: int) -> None:
    drawn = draw(voices(n))
    assert len(drawn.points) == n
    assert np.isfinite([(p.x, p.y) for p in drawn.points]).all()


def test_a_tenant_sees_its_voices_alone() -> None:
    acme = Tenant("acme")
    ids = ("a", acme.stored("b"), acme.stored("c"))
    drawn = draw(voices(3), ids, limit=1)
    assert [p.speaker_id for p in drawn.points] == ["a"]
    assert drawn.voices == 1
    drawn = draw(voices(3), ids, tenant="acme", limit=1)
    assert [p.speaker_id for p in drawn.points] == ["b"]
    assert drawn.voices == 2
