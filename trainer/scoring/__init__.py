"""From embeddings to decisions: recordings embedded, whitening, calibration, thresholds, maps between spaces."""
