"""What every training shares: batches, the loop, checkpoints, run folders, settings, progress, torchrun."""
