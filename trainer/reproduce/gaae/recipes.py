"""Which trainings the tables and figures are made of. `plan` adds them up, and the parts ask for them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainer.gaae.settings import GaaeSettings
from trainer.reproduce.gaae.scale import GaaeScale

Changes = tuple[tuple[str, float | bool], ...]  # settings by name
LABELLED = 100.0  # percent
WEIGHTS = ("alpha", "beta", "lambd", "omega_1", "omega_2", "omega_3", "omega_4", "omega_5")
MODELS = {
    "supervised": "Supervised BigGAN",
    "unsupervised": "Unsupervised BigGAN",
    "ggan": "GGAN",
    "gaae": "GAAE",
}


@dataclass(frozen=True)
class Training:
    """One trained model.

    Attributes:
        model: of MODELS, or `bigan`.
        task: of material.TASKS. For `gender` the digits are unlabelled audio beside it.
        share: percent of the labels that guide.
        length: `long` or `short`.
        run: its seed, which also draws the labelled clips.
    """

    model: str
    task: str
    share: float
    length: str
    changes: Changes = ()
    run: int = 0

    @property
    def name(self) -> str:
        share = "" if self.model in {"supervised", "unsupervised", "bigan"} else f"-{self.share:g}"
        changed = "".join(f"-{name}={value:g}" for name, value in self.changes)
        return f"{self.task}-{self.model}{share}-{self.length}{changed}-{self.run}"

    def at(self, run: int) -> Training:
        """Another run of the same."""
        return replace(self, run=run)

    @property
    def conditional(self) -> bool:
        """Does it generate by label?"""
        return self.model not in {"unsupervised", "bigan"}

    @property
    def parent(self) -> Training | None:
        """What it is trained on top of."""
        return replace(self, model="unsupervised") if self.model == "bigan" else None


def first_run(
    scale: GaaeScale,
    model: str,
    task: str,
    *,
    share: float | None = None,
    length: str = "short",
    changes: Changes = (),
) -> Training:
    """The first run of a training. One of settings that are the scale's own anyway is the plain one."""
    if scale.long == scale.short:
        length = "long"
    guided = scale.share if share is None else share
    if model not in {"gaae", "ggan"}:
        guided = LABELLED
    settings = scale.settings()
    if all(getattr(settings, name) == value for name, value in changes):
        changes = ()
    return Training(model, task, guided, length, changes)


def all_runs(scale: GaaeScale, first: Training) -> list[Training]:
    """Every run of a training."""
    return [first.at(run) for run in range(scale.runs)]


def rivals(scale: GaaeScale, task: str, length: str) -> dict[str, Training]:
    """The models of Tables I and II, each trained as long, by their names there."""
    return {title: first_run(scale, model, task, length=length) for model, title in MODELS.items()}


def length_of(task: str) -> str:
    """Of the models that a task's tables and figures compare: only the digits' are trained for long."""
    return "long" if task == "digits" else "short"


def shares(scale: GaaeScale, task: str) -> tuple[float, ...]:
    return scale.instrument_shares if task == "instruments" else scale.shares


def by_share(scale: GaaeScale, model: str, task: str) -> dict[float, Training]:
    """The models of Tables III, VII and VIII."""
    return {share: first_run(scale, model, task, share=share) for share in shares(scale, task)}


def gender_guided(scale: GaaeScale) -> Training:
    """Guided by all of the labelled speech of another corpus (section V-C)."""
    return first_run(scale, "gaae", "gender", share=LABELLED)


def omega_sweep(scale: GaaeScale) -> dict[float, Training]:
    """By ω₁."""
    return {
        omega: first_run(
            scale, "gaae", "digits", changes=(("omega_1", omega), ("omega_2", round(1 - omega, 6)))
        )
        for omega in scale.omegas
    }


def alpha_sweep(scale: GaaeScale) -> dict[float, Training]:
    """By α."""
    return {
        alpha: first_run(scale, "gaae", "digits", changes=(("alpha", alpha), ("beta", round(1 - alpha, 6))))
        for alpha in scale.alphas
    }


def choices(scale: GaaeScale) -> dict[str, Training]:
    """GAAE with the preset's way of teaching C, and with the paper's instead, on train speakers alone."""
    published = GaaeSettings()
    weights = tuple((name, getattr(published, name)) for name in WEIGHTS)
    return {
        f"`{scale.preset}`": first_run(scale, "gaae", "choices"),
        "the paper's α, β and ω": first_run(scale, "gaae", "choices", changes=weights),
        "nothing degraded": first_run(scale, "gaae", "choices", changes=(("degrade", False),)),
    }


def settings_of(scale: GaaeScale, training: Training, r: float) -> GaaeSettings:
    """The settings of a training; `r` is its task's dynamic range."""
    settings = scale.settings()
    settings = replace(
        settings,
        spectrogram=replace(settings.spectrogram, r=r),
        iterations=scale.iterations(training.length),
        seed=training.run,
        checkpoint_steps=min(settings.checkpoint_steps, scale.iterations(training.length)),
        **dict(training.changes),  # type: ignore[arg-type]
    )
    # GGAN gets what was chosen for GAAE: it has these losses too. The others have none of them.
    if training.model not in {"gaae", "ggan"}:
        settings = replace(settings, **{name: getattr(GaaeSettings(), name) for name in WEIGHTS})
    return settings
