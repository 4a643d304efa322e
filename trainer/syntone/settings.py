"""Every hyper-parameter of the SynTone models."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SynToneSettings:
    """The training of one model. The paper does not give its hyper-parameters; these are ours."""

    model: str = "vae"  # a key of trainer.syntone.objectives.MODELS
    latents: int = 8  # of autodecompose, each encoder has half

    # Objective: squared error / (2 noise²) + β KL (+ γ TC)
    noise: float = 0.15  # standard deviation of p(x|z): small favours reconstruction over the prior
    beta: float = 1.0  # VAE 1; β-VAE on the KL; β-TCVAE on the total correlation only
    gamma: float = 0.0  # FactorVAE, on the total correlation
    discriminator_width: int = 256
    discriminator_layers: int = 4
    discriminator_rate: float = 1e-4  # Adam, betas (0.5, 0.9), as in FactorVAE

    # Optimisation
    epochs: int = 3
    batch: int = 64
    rate: float = 2e-3  # Adam, cosine to 0
    seed: int = 0
    checkpoint_steps: int = 500  # a killed run loses at most this many


SETTINGS = {
    "vae": SynToneSettings("vae"),
    "beta_vae": SynToneSettings("beta_vae", beta=4.0),
    "factor_vae": SynToneSettings("factor_vae", gamma=10.0),
    "beta_tcvae": SynToneSettings("beta_tcvae", beta=6.0),
    "autodecompose": SynToneSettings("autodecompose"),
}
