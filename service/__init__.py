"""Twofold's HTTP service: runs model bundles with onnxruntime. Imports no torch."""
