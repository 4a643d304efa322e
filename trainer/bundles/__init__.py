"""Model bundles: a trained module written as ONNX and checked, run, and brought up to date."""
