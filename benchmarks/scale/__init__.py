"""A gallery of ten thousand to a million voices: what a search, a start and a write cost.

`voices` makes synthetic voices and enrols them through the store, and `questions` asks for them. `measure` is
one process on one filled store. `page` runs it for every size and writes docs/scale.md.
"""

from benchmarks.scale.page import scale_page

__all__ = ["scale_page"]
