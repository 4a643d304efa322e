"""Builds, measures and exports Twofold's models (torch)."""
