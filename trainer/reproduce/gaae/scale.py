"""How much is trained and measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from trainer.gaae.settings import PRESETS, GaaeSettings


@dataclass(frozen=True)
class GaaeScale:
    """`paper` is section V's, for a GPU; `cpu` is for one evening on two cores; `toy` shows that all runs.

    Attributes:
        preset: of trainer.gaae.settings.PRESETS, for GAAE and what it is compared with.
        long: iterations of the digit models of Tables I and IV, of the maps and the sheets.
        short: iterations of every other training.
        runs: trainings a row, each with labelled clips of its own.
        share: percent of the labels wherever the paper has 5 %.
        shares: percents of Tables III and VII.
        instrument_shares: the same of Tables III and VIII.
        samples: generated, that a score is taken of.
        classifier_samples: generated, that a classifier learns from.
        classifier_steps, classifier_batch, classifier_rate: training of each supervised classifier.
        omegas, alphas: of the sweeps; ω₂ = 1 − ω₁ and β = 1 − α.
        map_points: of one t-SNE map.
        iteration_s, classifier_step_s: what `--plan` reckons with, an iteration of GAAE and a step of a
            classifier; `clock` says of what.
        channels, batch: in place of the preset's, where given.
    """

    name: str
    preset: str
    long: int
    short: int
    runs: int
    share: float
    shares: tuple[float, ...]
    instrument_shares: tuple[float, ...]
    samples: int
    classifier_samples: int
    classifier_steps: int
    classifier_batch: int
    classifier_rate: float
    omegas: tuple[float, ...]
    alphas: tuple[float, ...]
    map_points: int
    iteration_s: float
    classifier_step_s: float
    clock: str
    channels: int | None = None
    batch: int | None = None

    def settings(self) -> GaaeSettings:
        """GAAE's, but for the iterations."""
        settings = PRESETS[self.preset]
        if self.channels is not None:
            settings = replace(settings, channels=self.channels)
        if self.batch is not None:
            settings = replace(settings, batch=self.batch, labelled_batch=self.batch)
        return settings

    def measured(self) -> dict[str, float]:
        """What a figure of a trained model depends on, but for the training."""
        return {
            "samples": self.samples,
            "classifier_samples": self.classifier_samples,
            "classifier_steps": self.classifier_steps,
            "classifier_batch": self.classifier_batch,
            "classifier_rate": self.classifier_rate,
        }

    def iterations(self, length: str) -> int:
        """Of a training that is `long` or `short`."""
        return {"long": self.long, "short": self.short}[length]


SCALES = {
    "toy": GaaeScale(
        name="toy",
        preset="small",
        long=3,
        short=2,
        runs=1,
        share=50,
        shares=(50,),
        instrument_shares=(50,),
        samples=40,
        classifier_samples=16,
        classifier_steps=3,
        classifier_batch=4,
        classifier_rate=1e-3,
        omegas=(0.2,),
        alphas=(0.5,),
        map_points=24,
        iteration_s=0.05,
        classifier_step_s=0.05,
        clock="processor",
        channels=2,
        batch=4,
    ),
    # 0.55 s of one core an iteration of `small` and half of it a step of 32 of the classifier: measured.
    "cpu": GaaeScale(
        name="cpu",
        preset="small",
        long=5000,
        short=800,
        runs=1,
        share=5,
        shares=(1, 2, 3, 4, 5, 100),
        instrument_shares=(1, 5, 100),
        samples=2000,
        classifier_samples=2000,
        classifier_steps=600,
        classifier_batch=32,
        classifier_rate=5e-4,  # the paper's 1e-4 is for more steps
        omegas=(0.2, 0.6, 0.8),
        alphas=(0.2, 0.5, 0.8),
        map_points=600,
        iteration_s=0.55,
        classifier_step_s=0.3,
        clock="processor",
    ),
    # The paper's clock: 21 hours of two P100 for 60,000 iterations (section V-A1).
    "paper": GaaeScale(
        name="paper",
        preset="paper",
        long=60_000,
        short=60_000,
        runs=3,
        share=5,
        shares=(1, 2, 3, 4, 5, 100),
        instrument_shares=(1, 2, 3, 4, 5, 100),
        samples=50_000,
        classifier_samples=20_000,
        classifier_steps=20_000,
        classifier_batch=64,
        classifier_rate=1e-4,
        omegas=(0.2, 0.4, 0.6, 0.8),
        alphas=(0.2, 0.4, 0.5, 0.6, 0.8),
        map_points=5000,
        iteration_s=2.52,
        classifier_step_s=0.05,
        clock="P100",
    ),
}
