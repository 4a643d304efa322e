"""Model bundles: a trained module written as ONNX and checked, read again, and brought up to date."""
