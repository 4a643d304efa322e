"""Public corpora → the folder format that `trainer.audio.folders.read_folder` reads."""

from trainer.corpora.folder import Recording, WriteReport, write_folder

__all__ = ["Recording", "WriteReport", "write_folder"]
