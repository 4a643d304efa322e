"""Label-free fine-tuning: a bundle and some audio become the next version, with a report."""
