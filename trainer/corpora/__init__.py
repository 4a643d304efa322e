"""Public corpora → the folder format that `trainer.audio.folders.read_folder` reads: one corpus a module.

`folder` writes the format; `cli` has one command a corpus (`python -m trainer data`).
"""

from trainer.corpora.folder import CorpusRecording, WriteReport, write_folder

__all__ = ["CorpusRecording", "WriteReport", "write_folder"]
