"""How well voices are told apart under each condition a recording meets, beside floors and the peer.

`degradations` is what happens to recordings, `codecs` the real encoders among it, `columns` who is measured,
`trials` the pairs and their error rates, `page` the table.
"""

from benchmarks.conditions.page import conditions_page

__all__ = ["conditions_page"]
