"""Every error that a caller can meet. `service/api/problems.py` turns them into HTTP answers.

TwofoldError
├── BadRequest            400 bad_request
├── MissingKey            401 missing_key
├── Forbidden             403 forbidden
├── ForbiddenOrigin       403 forbidden_origin
├── NotFound              404 not_found
├── Conflict              409 conflict
├── TooLarge              413 too_large
├── UnsupportedMedia      415 unsupported_media
├── InvalidAudio          422 invalid_audio
├── NoSpeech              422 no_speech
├── InsufficientSpeech    422 insufficient_speech
├── PoorEnrolment         422 poor_enrolment
├── Overloaded            429 overloaded
├── FolderTaken           503 folder_taken, at the start only
├── NotReady              503 not_ready
└── StoreUnavailable      503 store_unavailable
    └── DiskFull          503 disk_full
"""

from __future__ import annotations

from typing import ClassVar


class TwofoldError(Exception):
    """Base class. `detail` says what is wrong and what to do. `extra` adds fields to the answer."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, retry_after_s: int | None = None, **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.extra = extra


class BadRequest(TwofoldError):
    code, status, title = "bad_request", 400, "Bad request"


class MissingKey(TwofoldError):
    code, status, title = "missing_key", 401, "API key missing"


class Forbidden(TwofoldError):
    code, status, title = "forbidden", 403, "Forbidden"


class ForbiddenOrigin(TwofoldError):
    code, status, title = "forbidden_origin", 403, "Forbidden origin"


class NotFound(TwofoldError):
    code, status, title = "not_found", 404, "Not found"


class Conflict(TwofoldError):
    code, status, title = "conflict", 409, "Conflict"


class TooLarge(TwofoldError):
    code, status, title = "too_large", 413, "Too large"


class UnsupportedMedia(TwofoldError):
    code, status, title = "unsupported_media", 415, "Unsupported media type"


class InvalidAudio(TwofoldError):
    code, status, title = "invalid_audio", 422, "Audio cannot be used"


class NoSpeech(TwofoldError):
    code, status, title = "no_speech", 422, "No speech found"


class InsufficientSpeech(TwofoldError):
    code, status, title = "insufficient_speech", 422, "Not enough speech"

    def __init__(self, *, speech_s: float, required_s: float) -> None:
        super().__init__(
            f"Only {speech_s:.2f} s of speech found; this call needs {required_s:.2f} s. "
            "Send a longer recording.",
            speech_s=round(speech_s, 3),
            required_s=required_s,
        )


class PoorEnrolment(TwofoldError):
    code, status, title = "poor_enrolment", 422, "Enrolment would be unreliable"

    def __init__(self, issues: list[dict[str, object]]) -> None:
        advice = " ".join(dict.fromkeys(str(issue["advice"]) for issue in issues))
        super().__init__(f"Nothing was stored, as strict=true asks. {advice}", issues=issues)


class Overloaded(TwofoldError):
    code, status, title = "overloaded", 429, "Too many requests at once"


class NotReady(TwofoldError):
    code, status, title = "not_ready", 503, "Not ready"


class FolderTaken(TwofoldError):
    """Another server uses the state folder. Only a start that fails meets it."""

    code, status, title = "folder_taken", 503, "State folder in use"


class StoreUnavailable(TwofoldError):
    code, status, title = "store_unavailable", 503, "Store unavailable"


class DiskFull(StoreUnavailable):
    """Only what has to be stored fails."""

    code, status, title = "disk_full", 503, "Disk full"
