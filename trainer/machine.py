"""The machine that trained or measured, for run.json and below every table. It never names the host."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def cpu_name() -> str:
    """The processor's model name."""
    cpuinfo = Path("/proc/cpuinfo")
    for line in cpuinfo.read_text().splitlines() if cpuinfo.is_file() else ():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def training_machine() -> str:
    """The machine of a training: the GPU, or the processor and the number of torch's threads."""
    import torch  # seconds to load, and not there after `make serve`

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{cpu_name()}, {torch.get_num_threads()} threads"


def machine() -> str:
    """The machine of a measurement: the GPU, or the processor with its cores and load average."""
    import torch  # seconds to load, and not there after `make serve`

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores ({cpu_name()}), load average {os.getloadavg()[0]:.1f}"
