"""GAAE's losses, equations 1 to 8, by the paper's names. S and L give scores (batch,); losses are means.

Equations 7 and 8 as printed are the hinge loss, to be minimised, though the text says "ascending".
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.gaae.settings import GaaeSettings


def g_loss(s_reconstructed: Tensor, s_generated: Tensor) -> Tensor:
    """Equation 1: raises S's scores of x̂_u and x̂_g."""
    return -0.5 * (s_reconstructed.mean() + s_generated.mean())


def l_loss(l_encoded: Tensor) -> Tensor:
    """Equation 2: raises L's scores of z'."""
    return -l_encoded.mean()


def r_loss(x_hat: Tensor, x: Tensor) -> Tensor:
    """Equation 3: mean squared error of spectrograms (batch, bins, frames)."""
    return F.mse_loss(x_hat, x)


def classification_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Equations 4 (Cl_loss) and 5 (Cg_loss): cross-entropy of logits (batch, classes) and labels (batch,)."""
    return F.cross_entropy(logits, y)


def edc_loss(terms: dict[str, Tensor], settings: GaaeSettings) -> Tensor:
    """Equation 6: α (ω₁ G + ω₂ λ R) + β (ω₃ Cl + ω₄ Cg + ω₅ L). The terms are named as in the paper."""
    s = settings
    samples = s.omega_1 * terms["G_loss"] + s.omega_2 * (s.lambd * terms["R_loss"])
    latents = s.omega_3 * terms["Cl_loss"] + s.omega_4 * terms["Cg_loss"] + s.omega_5 * terms["L_loss"]
    return s.alpha * samples + s.beta * latents


def s_discrimination_loss(s_real: Tensor, s_reconstructed: Tensor, s_generated: Tensor) -> Tensor:
    """Equation 7: moves S's scores of real samples above 1, and those of x̂_u and x̂_g below −1."""
    fake = 0.5 * (torch.relu(1 + s_reconstructed).mean() + torch.relu(1 + s_generated).mean())
    return torch.relu(1 - s_real).mean() + fake


def l_discrimination_loss(l_prior: Tensor, l_encoded: Tensor) -> Tensor:
    """Equation 8: moves L's scores of z drawn from p_z above 1, and those of z' below −1."""
    return hinge_loss(l_prior, l_encoded)


def hinge_loss(real: Tensor, fake: Tensor) -> Tensor:
    """A discriminator's hinge loss: moves scores of real inputs above 1, and of fake ones below −1."""
    return torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
