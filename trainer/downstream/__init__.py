"""Small labelled tasks on real speech, and the linear probe that measures a frozen representation on them."""

from trainer.downstream.factors import FACTORS, speaker_factors
from trainer.downstream.probe import labelled_share, linear_probe
from trainer.downstream.tasks import TASKS, Examples, Task, read_task

__all__ = [
    "FACTORS",
    "TASKS",
    "Examples",
    "Task",
    "labelled_share",
    "linear_probe",
    "read_task",
    "speaker_factors",
]
