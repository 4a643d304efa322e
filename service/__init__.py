"""Twofold's HTTP service: runs model bundles with onnxruntime. Imports no torch."""

__version__ = "0.1.0"
