"""SynTone: which factors of synthetic tones VAEs and Autodecompose disentangle (docs/results/syntone.md)."""
