"""How much is trained and measured, and what each of the paper's tests is with our corpora."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainer.autodecompose.settings import PRESETS, TrainSettings


@dataclass(frozen=True)
class Effort:
    """A training ends after `epochs`, or with the last epoch that fits into `steps`, but not before one."""

    epochs: int
    steps: int | None = None

    def within(self, steps_per_epoch: int) -> int:
        """Epochs to train."""
        most = self.epochs if self.steps is None else self.steps // steps_per_epoch
        return max(1, min(self.epochs, most))

    def __str__(self) -> str:
        bound = "" if self.steps is None else f" within {self.steps} steps, at least one"
        return f"{self.epochs} epochs{bound}"


@dataclass(frozen=True)
class AutodecomposeScale:
    """`paper` is section V's, for a GPU; `cpu` takes about two hours of one core."""

    name: str
    networks: str  # trainer.autodecompose.networks.ENCODERS and DECODERS, but for Fig. 7
    pretrain: Effort
    tune: Effort
    fig7: Effort
    overfit: Effort
    overfit_preset: str  # trainer.autodecompose.settings.PRESETS
    overfit_networks: str
    ecapa: Effort
    draws: int = 10
    overfit_draws: int = 100
    fig7_networks: tuple[str, ...] = ("large", "lstm", "conv", "dense")
    speakers: int = 30  # of Tables II and III, where the corpus has as many
    aligned_clips: int = 300
    phoneme_draws: int = 10
    phoneme_frames: int = 6000  # to train on, a draw; as many to test on
    map_points: int = 400  # of one t-SNE map


SCALES = {
    # The paper's large networks take seven times as long a step as `fast`: an epoch of them would be all.
    "cpu": AutodecomposeScale(
        name="cpu",
        networks="fast",
        pretrain=Effort(500, 2100),
        tune=Effort(50, 180),
        fig7=Effort(50, 100),
        overfit=Effort(300),
        overfit_preset="paper",
        overfit_networks="large",
        ecapa=Effort(12, 1000),
    ),
    "paper": AutodecomposeScale(
        name="paper",
        networks="large",
        pretrain=Effort(500),
        tune=Effort(50),
        fig7=Effort(50),
        overfit=Effort(5000),
        overfit_preset="very_large",
        overfit_networks="very_large",
        ecapa=Effort(60),
        aligned_clips=600,
        phoneme_draws=100,
    ),
}

OBJECTIVES = ("plain", "ours")
UNTRAINED = "untrained"  # beside them in tables: random weights


def objective_settings(objective: str, networks: str) -> TrainSettings:
    """`plain` is the paper's; `ours` adds the Barlow Twins term and the channels. All else is the paper's."""
    plain = replace(PRESETS["paper"], encoder=networks, decoder=networks)
    if objective == "plain":
        return plain
    shipped = TrainSettings()
    return replace(
        plain,
        mse_weight=shipped.mse_weight,
        bt_weight=shipped.bt_weight,
        acoustics=shipped.acoustics,
    )


@dataclass(frozen=True)
class Variant:
    """One trained Autodecompose: objective, pre-training audio, and what it was fine-tuned on, if at all."""

    objective: str  # of OBJECTIVES
    source: str  # of SETS
    tuned: str = "no"  # "no", "10 s" a speaker, or "all" the audio of `target`
    target: str = ""  # of SETS

    @property
    def name(self) -> str:
        ending = "" if self.tuned == "no" else f"-{self.target}-{self.tuned.replace(' ', '')}"
        return f"{self.source}-{self.objective}{ending}"

    @property
    def parent(self) -> Variant | None:
        return None if self.tuned == "no" else Variant(self.objective, self.source)


@dataclass(frozen=True)
class Test:
    """A row of Table I. Sources and labelled audio are of `material.SETS`, which has the paper's names."""

    number: int
    source: str  # pre-trained on, without labels
    labelled: str  # classified
    tuned: str
    encoder: str

    def variant(self, objective: str) -> Variant:
        target = "" if self.tuned == "no" else self.labelled
        return Variant(objective, self.source, self.tuned, target)


TESTS = (
    Test(1, "home", "insiders", "no", "E_s"),
    Test(2, "home", "strangers", "no", "E_s"),
    Test(3, "home", "strangers", "all", "E_s"),
    Test(4, "elsewhere", "strangers", "no", "E_s"),
    Test(5, "elsewhere", "strangers", "all", "E_s"),
    Test(6, "elsewhere", "strangers", "10 s", "E_s"),
    Test(7, "home", "strangers", "10 s", "E_s"),
    Test(8, "elsewhere", "strangers", "no", "E_c"),
    Test(9, "home", "strangers", "all", "E_c"),
)
