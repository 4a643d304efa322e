"""Three iterations on real speech: what they leave, and that a broken training goes on exactly."""

from __future__ import annotations

import csv
import math
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from torch import nn

from trainer.gaae.data import Guidance
from trainer.gaae.objective import GAAE
from trainer.gaae.run import TrainedGaae, make_sampler, train_gaae
from trainer.gaae.settings import PRESETS, GaaeSettings
from trainer.gaae.train import follow, iteration, make_optimizer, train
from trainer.training.checkpoint import read_step

QUIET = Console(quiet=True)
CPU = torch.device("cpu")


class StopNow(Exception):
    pass


def losses(run: Path) -> list[dict[str, float]]:
    with (run / "losses.csv").open() as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_a_training_leaves_a_run_folder(
    tiny: GaaeSettings, guidance: Guidance, cache: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    train_gaae(tiny, guidance, out, cache, QUIET)
    rows = losses(out)
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert all(math.isfinite(value) for row in rows for value in row.values())
    assert {"losses.png", "samples.png", "run.json", "checkpoint.safetensors"} <= {
        p.name for p in out.iterdir()
    }
    trained = TrainedGaae.load(out)
    assert (trained.iterations, trained.settings, trained.guidance) == (3, tiny, guidance)
    train_gaae(replace(tiny, iterations=4), guidance, out, cache, QUIET)
    assert TrainedGaae.load(out).iterations == len(losses(out)) == 4
    made = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    train_gaae(replace(tiny, iterations=4), guidance, out, cache, QUIET)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == made  # run.json keeps its date
    with pytest.raises(ValueError, match="already has 4 iterations"):
        train_gaae(tiny, guidance, out, cache, QUIET)
    with pytest.raises(ValueError, match="other settings"):
        train_gaae(replace(tiny, rate=1.0), guidance, out, cache, QUIET)
    with pytest.raises(ValueError, match="other settings"):
        train_gaae(tiny, replace(guidance, share=1.0), out, cache, QUIET)


def test_a_training_that_is_told_to_stop_leaves_its_iterations(
    tiny: GaaeSettings, guidance: Guidance, cache: Path, tmp_path: Path
) -> None:
    def stop(step: int, _steps: int, _losses: dict[str, float]) -> None:
        assert step == 1
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit):
        train(GAAE(tiny, 3), make_sampler(tiny, guidance, cache, QUIET), tmp_path, CPU, report=stop)
    assert read_step(tmp_path / "checkpoint.safetensors") == 1


def test_a_killed_training_goes_on_to_the_same_weights(
    tiny: GaaeSettings, guidance: Guidance, cache: Path, tmp_path: Path
) -> None:
    sampler = make_sampler(tiny, guidance, cache, QUIET)

    def run(out: Path, stop_at: int | None) -> None:
        def report(step: int, _steps: int, _losses: dict[str, float]) -> None:
            if step == stop_at:
                raise StopNow

        torch.manual_seed(tiny.seed)
        train(GAAE(tiny, 3), sampler, out, CPU, report=report)

    with pytest.raises(StopNow):
        run(tmp_path / "killed", stop_at=3)  # after the checkpoint of step 2
    torch.manual_seed(99)
    run(tmp_path / "killed", stop_at=None)
    run(tmp_path / "unbroken", stop_at=None)
    killed, unbroken = (
        load_file(tmp_path / name / "checkpoint.safetensors") for name in ("killed", "unbroken")
    )
    assert killed.keys() == unbroken.keys()
    assert all(torch.equal(killed[key], unbroken[key]) for key in unbroken)
    logs = [losses(tmp_path / name) for name in ("killed", "unbroken")]
    assert logs[0] == logs[1]
    assert [row["step"] for row in logs[0]] == [1, 2, 3]


def test_an_iteration_updates_s_and_l_k_times_and_the_others_once(
    tiny: GaaeSettings, guidance: Guidance, cache: Path
) -> None:
    sampler = make_sampler(tiny, guidance, cache, QUIET)
    torch.manual_seed(0)
    model = GAAE(tiny, 3).train()
    optimizer = make_optimizer(model)
    iteration(model, map(sampler.at, range(3)), optimizer, 0, CPU)
    updates = {
        name: {int(optimizer.state[parameter]["step"]) for parameter in network.parameters()}
        for name, network in (("S", model.S), ("L", model.L), ("EDC", model.edc))
    }
    assert updates == {"S": {2}, "L": {2}, "EDC": {1}}
    rates = [group["lr"] for group in optimizer.param_groups]
    assert rates == [tiny.rate, tiny.discriminator_rate]
    assert all(group["betas"] == (0.0, 0.999) for group in optimizer.param_groups)


def test_the_average_follows_and_takes_the_latest_buffers() -> None:
    average, module = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        module.weight.fill_(3)
        module.running_mean.fill_(7)  # type: ignore[union-attr]
    follow(average, module, decay=0.9)
    assert average.weight.item() == pytest.approx(0.9 * 1 + 0.1 * 3)
    assert average.running_mean.item() == 7  # type: ignore[union-attr]


def test_what_is_kept_is_the_average_from_the_iteration_of_the_settings(
    tiny: GaaeSettings, guidance: Guidance, cache: Path, tmp_path: Path
) -> None:
    sampler = make_sampler(tiny, guidance, cache, QUIET)
    for average_from, same in ((3, True), (1, False)):
        out = tmp_path / str(average_from)
        torch.manual_seed(0)
        settings = replace(tiny, average=0.5, average_from=average_from)
        train(GAAE(settings, 3), sampler, out, CPU)
        left = load_file(out / "checkpoint.safetensors")
        name = "C.0.weight"
        assert torch.equal(left[f"average/{name}"], left[f"model/edc.{name}"]) == same


def test_settings_and_guidance_survive_json(guidance: Guidance) -> None:
    for settings in PRESETS.values():
        assert GaaeSettings.from_json(settings.to_json()) == settings
    assert Guidance.from_json(guidance.to_json()) == guidance


def test_the_papers_numbers() -> None:
    s = PRESETS["paper"]
    assert (s.lambd, s.omega_1, s.omega_2, s.omega_3, s.omega_4, s.omega_5) == (20, 0.6, 0.4, 0.25, 0.25, 0.5)
    assert (s.alpha, s.beta, s.k, s.batch, s.iterations) == (0.5, 0.5, 2, 128, 60_000)
    assert (s.rate, s.discriminator_rate, s.latent_dim) == (5e-5, 2e-4, 128)
