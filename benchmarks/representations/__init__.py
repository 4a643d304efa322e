"""Our encoders, Barlow Twins and raw features on the same tasks (docs/results/representations.md)."""
