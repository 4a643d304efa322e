"""What every training needs: batches, the loop, checkpoints, run folders, settings, several processes."""
