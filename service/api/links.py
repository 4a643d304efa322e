"""OpenAPI links: which calls an answer leads to, and with what of it. Programs and fuzzers follow them."""

from __future__ import annotations

from typing import Any

_SPEAKER = "$response.body#/speaker_id"
_JOB = "$response.body#/job_id"
_OF_SPEAKER: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("get", "/speakers/{speaker_id}", {"path.speaker_id": _SPEAKER}),
    ("post", "/speakers/{speaker_id}/audio", {"path.speaker_id": _SPEAKER}),
    ("post", "/identify", {}),
    ("post", "/verify", {"query.speaker_id": _SPEAKER}),
    ("post", "/finetune", {"query.speaker_ids": _SPEAKER}),
    ("patch", "/speakers/{speaker_id}", {"path.speaker_id": _SPEAKER}),
    ("get", "/speakers/{speaker_id}/recordings", {"path.speaker_id": _SPEAKER}),
    ("delete", "/speakers/{speaker_id}", {"path.speaker_id": _SPEAKER}),
)
_OF_JOB = (
    ("get", "/finetune/{job_id}", {"path.job_id": _JOB}),
    ("get", "/finetune/{job_id}/events", {"path.job_id": _JOB}),
    ("get", "/finetune/{job_id}/report.png", {"path.job_id": _JOB}),
    ("delete", "/finetune/{job_id}", {"path.job_id": _JOB}),
)
_OF_DIARIZATION = (
    ("get", "/diarize/{job_id}", {"path.job_id": _JOB}),
    ("get", "/diarize/{job_id}/events", {"path.job_id": _JOB}),
    ("delete", "/diarize/{job_id}", {"path.job_id": _JOB}),
)
_OF_ENROLMENTS = (
    ("get", "/enrolments/{job_id}", {"path.job_id": _JOB}),
    ("get", "/enrolments/{job_id}/events", {"path.job_id": _JOB}),
    ("delete", "/enrolments/{job_id}", {"path.job_id": _JOB}),
)
#: Method, path and status of an answer → method and path of calls, and where their parameters come from.
_LINKS = {
    ("post", "/speakers", "201"): _OF_SPEAKER,
    ("post", "/speakers/{speaker_id}/audio", "200"): _OF_SPEAKER,
    ("get", "/speakers/{speaker_id}", "200"): _OF_SPEAKER,
    ("post", "/verify", "200"): _OF_SPEAKER,
    ("post", "/finetune", "202"): _OF_JOB,
    ("get", "/finetune/{job_id}", "200"): _OF_JOB,
    ("post", "/diarize", "202"): _OF_DIARIZATION,
    ("post", "/enrolments", "202"): _OF_ENROLMENTS,
}


def add_links(document: dict[str, Any]) -> None:
    """Adds them to the OpenAPI document."""
    paths = document["paths"]
    for (method, path, status), targets in _LINKS.items():
        paths[path][method]["responses"][status]["links"] = {
            paths[to_path][to_method]["operationId"]: {
                "operationId": paths[to_path][to_method]["operationId"],
                "parameters": parameters,
            }
            for to_method, to_path, parameters in targets
        }
