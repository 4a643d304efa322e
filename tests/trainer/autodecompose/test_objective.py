from __future__ import annotations

import pytest
import torch

from trainer.audio.cache import ClipCache
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import PRESETS, TrainSettings
from trainer.training.batches import PairSampler
from trainer.training.settings import override

SMALL = override(TrainSettings(), {"encoder": "dense", "decoder": "dense", "batch": "8"})


def losses(settings: TrainSettings, cache: ClipCache) -> tuple[Objective, dict[str, torch.Tensor]]:
    torch.manual_seed(0)
    objective = Objective(settings)
    batch = PairSampler(cache, None, settings.batch, 0).at(0)
    return objective, objective(batch, torch.Generator().manual_seed(0))


def test_loss_is_the_weighted_sum_of_its_parts(tone_cache: ClipCache) -> None:
    _, parts = losses(SMALL, tone_cache)
    torch.testing.assert_close(parts["loss"], 100 * parts["mse"] + 0.02 * parts["bt"])


def test_without_bt_weight_it_is_the_papers_objective(tone_cache: ClipCache) -> None:
    objective, parts = losses(override(SMALL, {"bt_weight": "0", "mse_weight": "1"}), tone_cache)
    assert objective.projector is None
    assert set(parts) == {"loss", "mse"}
    assert torch.equal(parts["loss"], parts["mse"])
    assert PRESETS["paper"].bt_weight == 0


def test_every_network_learns(tone_cache: ClipCache) -> None:
    objective, parts = losses(SMALL, tone_cache)
    parts["loss"].backward()
    for name, parameter in objective.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_target_is_the_crop_as_recorded_when_acoustics_are_off(tone_cache: ClipCache) -> None:
    settings = override(SMALL, {"acoustics": "none"})
    objective = Objective(settings)
    batch = PairSampler(tone_cache, None, 8, 0).at(0)
    d, d2 = objective.features(batch, torch.Generator())
    torch.testing.assert_close(d, objective.frontend(batch.first))
    torch.testing.assert_close(d2, objective.frontend(batch.second))


def test_settings_survive_json() -> None:
    for settings in (
        *PRESETS.values(),
        override(TrainSettings(), {"epochs": "3", "mixed_precision": "false"}),
    ):
        assert TrainSettings.from_json(settings.to_json()) == settings


def test_settings_inside_settings_are_given_by_their_path() -> None:
    changed = override(
        TrainSettings(), {"acoustics.tilt_db": "4", "acoustics.noise_snr_db": "0,25", "epochs": "3"}
    )
    assert changed.acoustics is not None
    assert changed.acoustics.noise_snr_db == (0.0, 25.0)
    assert (changed.acoustics.tilt_db, changed.epochs) == (4.0, 3)
    assert changed.acoustics.noise_probability == TrainSettings().acoustics.noise_probability  # type: ignore[union-attr]


WRONG = [
    ("nonsense", "1"),
    ("epochs", "many"),
    ("mixed_precision", "1"),
    ("acoustics", "1"),
    ("acoustics.volume", "1"),
    ("acoustics.noise_snr_db", "5"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_assignments_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        override(TrainSettings(), {name: value})
