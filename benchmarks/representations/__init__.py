"""Our encoders, Barlow Twins and raw features under the same lamp → docs/results/representations.md."""
