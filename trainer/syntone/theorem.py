"""Autodecompose's Theorem 1 on data whose factors are known.

E is the timbre encoder and E' the pitch encoder. F is the timbre: every view of E' has another one. F' is the
frequency: every view of E has another one. The theorem says that E(d) determines F(d), and its text that "E
cannot provide any representation for F'". Its proof speaks of the views: E(a) cannot tell F'(d), since a was
drawn without it. Of E(d) itself, of the clip as it is, it proves only the first.

So both are measured: what each encoder tells of a clip's factors from the clip, and from its view of it.
"""

from __future__ import annotations

import numpy as np
import torch

from trainer.syntone.measure import what_is_known
from trainer.syntone.objectives import AutodecomposeVAE, Material, with_another

ENCODERS = {"E, timbre": "frequency", "E', pitch": "timbre"}  # the factor that its views change
_BATCH = 500

Known = dict[str, list[float]]  # timbre accuracy, R² of amplitude and of frequency


@torch.no_grad()
def theorem(model: AutodecomposeVAE, material: Material) -> Known:
    """What either encoder tells of the clips' factors, from the `clip` and from its `view`."""
    known: Known = {}
    everything = np.arange(len(material.grid))
    for (name, changed), encoder in zip(ENCODERS.items(), (model.timbre, model.pitch), strict=True):
        views = with_another(material.grid, everything, changed, torch.Generator().manual_seed(0))
        for source, clips in (("clip", everything), ("view", views)):
            batches = torch.split(material.features[clips], _BATCH)
            codes = torch.cat([encoder(batch)[0] for batch in batches])
            known[f"{name}, {source}"] = what_is_known(codes, material.grid)
    return known
