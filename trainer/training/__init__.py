"""What every training shares: batches, the loop, run folders, settings, progress, and several processes.

`checkpoint` stores the state of a training; `schedule` says when.
"""
