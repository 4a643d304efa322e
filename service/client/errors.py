"""What a call of the client raises.

ClientError
├── ServiceUnreachable    no service answers at the URL
└── ServiceRefused        the service answered with a problem
"""

from __future__ import annotations

import httpx

_PROBLEM = "application/problem+json"


class ClientError(Exception):
    """A call failed. The message says why."""


class ServiceUnreachable(ClientError):
    """No service listens at the URL."""


class ServiceRefused(ClientError):
    """The service answered with an error status."""

    def __init__(self, status: int, code: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{detail} ({status} {code})")
        self.status = status
        self.code = code  # for programs: `no_speech`, `overloaded` and so on
        self.detail = detail  # for people
        self.retry_after_s = retry_after_s

    @classmethod
    def of(cls, answer: httpx.Response) -> ClientError:
        """The error of an answer. Its body must have been read."""
        if answer.headers.get("content-type") != _PROBLEM:
            return ClientError(
                f"{answer.request.url} answered {answer.status_code}. Does Twofold listen there?"
            )
        body = answer.json()
        waiting = answer.headers.get("retry-after", "")
        return cls(
            body["status"], body["code"], body["detail"], float(waiting) if waiting.isdecimal() else None
        )

    def wait_s(self, *, writes: bool) -> float | None:
        """After how many seconds the same call may be sent again; None: it must not be.

        A store out of reach may have made a write whose answer was lost.
        """
        again = {"overloaded", "not_ready"} if writes else {"overloaded", "not_ready", "store_unavailable"}
        return self.retry_after_s if self.code in again else None
