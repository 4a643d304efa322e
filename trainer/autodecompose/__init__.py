"""Autodecompose (Bonyadi): one encoder for who speaks, one for what is said, trained without labels.

`networks`, `augment` and `objective` are the paper's model; `graphs` and `bundle` make it ready to serve.
"""
