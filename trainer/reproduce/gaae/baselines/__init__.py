"""What GAAE is compared with, from its own blocks and trained by its own loop."""

from trainer.reproduce.gaae.baselines.bigan import BiGAN, FeatureNetwork
from trainer.reproduce.gaae.baselines.biggan import BigGAN
from trainer.reproduce.gaae.baselines.ggan import GGAN, GuidedNetworks

__all__ = ["GGAN", "BiGAN", "BigGAN", "FeatureNetwork", "GuidedNetworks"]
