"""Barlow Twins for speech: a ResNet on spectrograms of one second, trained without labels.

`networks`, `loss` and `objective` are the paper's model, `bundle` makes it ready to serve. `supervised` is
the baseline trained with labels; `encode` computes representations.
"""
