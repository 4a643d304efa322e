"""GAAE (Haque et al. 2020): a few labels guide what a BigGAN-sized autoencoder generates and represents."""
