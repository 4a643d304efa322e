"""Which scopes open which call. A key needs one of those listed, or all scopes where a call is not listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.keys import SCOPES, Key, Scope

ANY: tuple[Scope, ...] = SCOPES

OPENED_BY: Mapping[tuple[str, str], Sequence[Scope]] = {
    ("POST", "/embed"): ("identify",),
    ("POST", "/content"): ("identify",),
    ("POST", "/identify"): ("identify",),
    ("POST", "/verify"): ("identify",),
    ("POST", "/calibrate"): ("identify",),
    ("GET", "/thresholds"): ("read",),
    ("DELETE", "/thresholds/{collection}"): ("enrol",),
    ("POST", "/diarize"): ("identify",),
    ("GET", "/diarize/{job_id}"): ("identify",),
    ("GET", "/diarize/{job_id}/events"): ("identify",),
    ("DELETE", "/diarize/{job_id}"): ("identify",),
    ("WS", "/listen"): ("identify",),
    ("POST", "/speakers"): ("enrol",),
    ("POST", "/speakers/{speaker_id}/audio"): ("enrol",),
    ("WS", "/speakers/{speaker_id}/enrol"): ("enrol",),
    ("POST", "/enrolments"): ("enrol",),
    ("GET", "/enrolments/{job_id}"): ("enrol",),
    ("GET", "/enrolments/{job_id}/events"): ("enrol",),
    ("DELETE", "/enrolments/{job_id}"): ("enrol",),
    ("GET", "/speakers"): ("read",),
    ("GET", "/speakers/{speaker_id}"): ("read",),
    ("PATCH", "/speakers/{speaker_id}"): ("enrol",),
    ("GET", "/gallery/map"): ("read",),
    ("DELETE", "/speakers/{speaker_id}"): ("erase",),
    ("GET", "/speakers/{speaker_id}/recordings"): ("read",),
    ("GET", "/speakers/{speaker_id}/recordings/{number}"): ("read",),
    ("DELETE", "/speakers/{speaker_id}/recordings/{number}"): ("erase",),
    ("GET", "/gallery"): ("export",),
    ("POST", "/gallery"): ("enrol",),
    ("GET", "/erasures"): ("erase", "read"),
    ("POST", "/finetune"): ("finetune",),
    ("GET", "/finetune"): ("finetune", "read"),
    ("GET", "/finetune/{job_id}"): ("finetune", "read"),
    ("GET", "/finetune/{job_id}/events"): ("finetune", "read"),
    ("GET", "/finetune/{job_id}/report.png"): ("finetune", "read"),
    ("DELETE", "/finetune/{job_id}"): ("finetune",),
    ("GET", "/models"): ("models", "finetune", "read"),
    ("DELETE", "/models/{version}"): ("models",),
    ("POST", "/models/{version}/activate"): ("models",),
    ("POST", "/models/{name}/{version}/activate"): ("models",),
    ("POST", "/generate"): ANY,
    ("GET", "/generate/labels"): ANY,
}


def opens(key: Key, method: str, path: str) -> bool:
    """Whether a key opens a call, given by its method and the template of its path."""
    scopes = OPENED_BY.get((method, path))
    return key.may(scopes) if scopes is not None else set(SCOPES) <= set(key.scopes)
