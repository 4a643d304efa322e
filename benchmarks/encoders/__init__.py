"""Experiments with the encoders: run folders of `trainer pretrain` beside each other, on train speakers."""

from benchmarks.encoders.page import encoders_page

__all__ = ["encoders_page"]
