"""The same recordings through some forty treatments, as the service would judge them.

`treatments` is what happens to a recording, `trials` decodes and scores, `page` writes the table.
"""

from benchmarks.degradation.page import degradation_page

__all__ = ["degradation_page"]
