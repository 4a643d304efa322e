"""Looks at an installation, for `twofold doctor`: what is missing, what would be read, is the store sound.

It changes nothing, so that it can run beside a service. `installation` looks at packages, `place` at
settings, files and the address, `stores` at what is stored. `examination` asks all of them.
"""

from service.doctor.examination import examine
from service.doctor.findings import Finding

__all__ = ["Finding", "examine"]
