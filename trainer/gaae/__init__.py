"""GAAE (Haque et al. 2020): a few labels guide what a BigGAN-sized autoencoder generates and represents.

`blocks`, `networks`, `losses` and `objective` are the paper's model. `data` draws batches and `train` is
Algorithm 1. `run` trains into a folder, `export` makes a bundle of it, `cli` is the command.
"""
