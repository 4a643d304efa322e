"""Whether the service notices what is wrong with an enrolment.

`material` is who speaks, `trials` what is wrong with their recordings, `judge` enrols them as the service
does, `page` writes the tables. `prototypes` asks whether a voice needs more than one mean.
"""

from benchmarks.enrolments.page import enrolments_page
from benchmarks.enrolments.prototypes import prototypes_block

__all__ = ["enrolments_page", "prototypes_block"]
