"""Autodecompose: one encoder for who speaks, one for what is said, trained without labels."""
