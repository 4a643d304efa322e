"""The models that the page measures: two long trainings, many short ones, and one that was never trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from trainer.barlow_twins.objective import BarlowTwins
from trainer.barlow_twins.settings import BarlowTwinsSettings
from trainer.models import load_objective, run_settings
from trainer.pretrain import pretrain
from trainer.reproduce.barlow_twins.plan import NOISE, Plan
from trainer.training.material import Material
from trainer.training.run_folder import RunFolder

UPSTREAM = ("librispeech", "speechocean762")
UNTRAINED = "untrained"


def model(plan: Plan, name: str) -> tuple[BarlowTwinsSettings, Callable[[], BarlowTwins]]:
    """The settings of an upstream corpus' model, or of the untrained one, and how to get the model."""
    if name == UNTRAINED:
        return replace(plan.settings, epochs=0), lambda: untrained(plan.settings)
    run = RunFolder(plan.runs / name)
    epochs = {"librispeech": plan.librispeech_epochs, "speechocean762": plan.speechocean_epochs}[name]
    settings = replace(plan.settings, epochs=epochs)
    if run.checkpoint.is_file():  # trained, or begun, with what its own settings say
        stored = run_settings(run)
        assert isinstance(stored, BarlowTwinsSettings)
        settings = stored
    return settings, lambda: _trained(plan, name, settings, run)


def untrained(settings: BarlowTwinsSettings) -> BarlowTwins:
    """What a training with these settings begins with."""
    torch.manual_seed(settings.seed)
    return BarlowTwins(settings).eval()


def short_model(
    plan: Plan, *, latent: int | None = None, normalise: str = "original", seed: int = 0
) -> tuple[BarlowTwinsSettings, Callable[[], BarlowTwins]]:
    """As `model`, for one training of the sweeps over latent sizes, variants and seeds."""
    latent = latent or plan.settings.latent
    settings = replace(plan.settings, epochs=plan.sweep_epochs, latent=latent, normalise=normalise, seed=seed)
    folder = plan.runs / "sweep" / f"{plan.sweep_corpus}-{plan.sweep_epochs}-epochs"
    run = RunFolder(folder / f"latent-{latent}-{normalise}-seed-{seed}")
    return settings, lambda: _trained(plan, plan.sweep_corpus, settings, run)


def _trained(plan: Plan, corpus: str, settings: BarlowTwinsSettings, run: RunFolder) -> BarlowTwins:
    """Trained on the corpus' train speakers, from where the run stopped."""
    plan.say(f"training {run.path}")
    pretrain(
        "barlow_twins",
        settings,
        Material((plan.data / corpus,), "train", (plan.data / NOISE,)),
        run,
        plan.cache,
        plan.console,
    )
    objective, _ = load_objective(run)
    assert isinstance(objective, BarlowTwins)
    return objective
