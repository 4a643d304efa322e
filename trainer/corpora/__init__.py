"""Public corpora → the folder format that `trainer.data.read_folder` reads."""

from trainer.corpora.folder import Recording, WriteReport, write_folder

__all__ = ["Recording", "WriteReport", "write_folder"]
