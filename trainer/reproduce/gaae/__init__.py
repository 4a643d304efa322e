"""The GAAE paper's sections V to VII with our corpora → docs/results/gaae.md."""
