"""What trained or measured, without its host's name: in run.json, and below every table."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def cpu_name() -> str:
    """Its maker's name of the model."""
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.is_file() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def training_machine() -> str:
    """What a training runs on: the GPU, else the processor and the threads torch has."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{cpu_name()}, {torch.get_num_threads()} threads"


def machine() -> str:
    """What figures are made on: the GPU, else the processor, and how busy it was."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({cpu_name()}), load average {os.getloadavg()[0]:.1f}"
