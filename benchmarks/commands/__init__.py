"""The verbs of `python -m benchmarks`.

`accuracy` and `running` hold them, by what is measured; `options` is what they share.
"""
