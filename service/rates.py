"""How much a client may ask for in a minute."""

from __future__ import annotations

import math
import time
from collections import OrderedDict

from service.errors import Overloaded

_MOST_CLIENTS = 10_000  # remembered at once; who was quiet longest is forgotten, with a full budget


class Rate:
    """A budget a client, refilled steadily. Belongs to one process and one event loop."""

    def __init__(self, per_minute: float, unit: str, setting: str) -> None:
        """`per_minute` 0 is no limit. `unit` and `setting` are for the message."""
        self._per_minute = per_minute
        self._unit = unit
        self._setting = setting
        self._budgets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client → what is left, when

    def require(self, client: str, amount: float = 0.0) -> None:
        """Raises Overloaded unless more than nothing, and at least `amount`, is left."""
        left = self._left(client)
        if self._per_minute and (left <= 0 or left < amount):
            wait_s = (max(amount, 1e-3) - left) * 60 / self._per_minute
            raise Overloaded(
                f"A client may ask for {self._per_minute:g} {self._unit} a minute ({self._setting}). "
                "Wait as long as Retry-After says.",
                retry_after_s=max(1, math.ceil(wait_s)),
            )

    def charge(self, client: str, amount: float) -> None:
        """Takes from the budget. It may be overdrawn, as what a request takes is known only afterwards."""
        if self._per_minute:
            self._budgets[client] = (self._left(client) - amount, time.monotonic())
            self._budgets.move_to_end(client)
            if len(self._budgets) > _MOST_CLIENTS:
                self._budgets.popitem(last=False)

    def _left(self, client: str) -> float:
        left, since = self._budgets.get(client, (self._per_minute, 0.0))
        return min(self._per_minute, left + (time.monotonic() - since) * self._per_minute / 60)
