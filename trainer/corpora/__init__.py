"""Public corpora → the folder format that `trainer.audio.folders.read_folder` reads."""

from trainer.corpora.folder import CorpusRecording, WriteReport, write_folder

__all__ = ["CorpusRecording", "WriteReport", "write_folder"]
