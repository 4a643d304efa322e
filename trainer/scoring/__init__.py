"""From embeddings to decisions: embedding, whitening, calibration, thresholds and maps between spaces."""
