"""Measures Twofold's speed, and peers on the same files with the same protocol."""
