"""What the service answered, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_MOST_EXAMPLES = 20


@dataclass
class Tally:
    """Counts of answers by status, and what should not have been."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)  # by what is wrong
    examples: list[str] = field(default_factory=list)  # of the faults, for whoever mends them
    succeeded: Counter[str] = field(default_factory=Counter)  # answers of 2xx by call
    longest_s: float = 0.0

    @property
    def cases(self) -> int:
        """Number of answers."""
        return self.statuses.total()

    def answered(self, call: str, status: int, seconds: float) -> None:
        """Counts an answer to `call`, such as `GET /speakers`."""
        self.statuses[status] += 1
        self.succeeded[call] += 200 <= status < 300
        self.longest_s = max(self.longest_s, seconds)

    def fault(self, kind: str, example: str) -> None:
        """Counts a fault, and keeps the first ones."""
        self.faults[kind] += 1
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(f"{kind}: {example}")

    def share(self, first: int, last: int) -> int:
        """Number of answers with a status from `first` to `last`."""
        return sum(count for status, count in self.statuses.items() if first <= status <= last)
