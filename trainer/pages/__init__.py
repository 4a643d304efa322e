"""What pages of figures share: blocks made by commands, finished figures on disk, t-SNE maps."""
