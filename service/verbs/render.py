"""Prints the service's answers for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table


def embeddings(answer: Any, console: Console) -> None:
    """POST /embed: one row per file. Only --json prints the whole vectors."""
    rows = [
        (
            file["filename"],
            f"{file['duration_s']:.2f}",
            f"{file['speech_s']:.2f}",
            _vector(file["embedding"]),
        )
        for file in answer["results"]
    ]
    _table(console, ("file", "seconds", "speech", f"embedding ({answer['dim']})"), rows)
    console.print(f"model {answer['model']}; --json prints the whole vectors")


def enrolment(answer: Any, console: Console) -> None:
    """POST /speakers."""
    console.print(
        f"{escape(answer['speaker_id'])}: {answer['utterances']} recordings, "
        f"{answer['speech_s']:.1f} s of speech"
    )
    console.print(escape(answer["quality"]["advice"]))


def identification(answer: Any, console: Console) -> None:
    """POST /identify."""
    match = answer["match"]
    console.print(f"It is {_who(match)}." if match else "It is nobody enrolled.")
    rows = [(_who(c), f"{c['score']:.3f}", f"{c['probability']:.3f}") for c in answer["candidates"]]
    if rows:
        _table(console, ("candidate", answer["score_type"], "probability"), rows, escaped=True)
    console.print(f"{_threshold(answer)}, model {answer['model']}")
    _warnings(answer, console)


def verification(answer: Any, console: Console) -> None:
    """POST /verify."""
    verdict = "Accepted" if answer["accepted"] else "Not accepted"
    score = f"{answer['score_type']} {answer['score']:.3f}, {_threshold(answer)}"
    console.print(f"{verdict}: {score}, probability {answer['probability']:.3f}")
    _warnings(answer, console)


def diarization(answer: Any, console: Console) -> None:
    """POST /diarize: a row a segment."""
    rows = [
        (
            f"{segment['start_s']:.2f}",
            f"{segment['end_s']:.2f}",
            _who(segment["speaker"]) if segment["speaker"] else segment["label"],
            "perhaps two" if segment["overlap"] else "",
        )
        for segment in answer["segments"]
    ]
    _table(console, ("start", "end", "who", ""), rows, escaped=True)
    _warnings(answer, console)


def enrolments(rows: Any, console: Console) -> None:
    """Everybody of a folder."""
    cells = [
        (
            row["speaker_id"],
            "not enrolled" if row["speech_s"] is None else f"{row['speech_s']:.1f}",
            row["said"],
        )
        for row in rows
    ]
    _table(console, ("id", "speech", ""), cells)


def bulk(job: Any, console: Console) -> None:
    """Everybody of an archive."""
    cells = [
        (recording["file"], recording["outcome"], recording["reason"] or recording["feedback"] or "")
        for person in job["people"]
        for recording in person["recordings"]
    ]
    _table(console, ("file", "", ""), cells)


def content(answer: Any, console: Console) -> None:
    """POST /content: only --json and --out give the vectors."""
    rows = [
        (file["filename"], f"{file['duration_s']:.2f}", str(len(file["frames"])))
        for file in answer["results"]
    ]
    _table(console, ("file", "seconds", f"vectors of {answer['dim']} numbers"), rows)
    console.print(f"model {answer['model']}; --out FILE.npy writes the vectors")


def imported(answer: Any, console: Console) -> None:
    """POST /gallery."""
    anew = f", {len(answer['reembedded'])} of them embedded anew" if answer["reembedded"] else ""
    console.print(f"{len(answer['imported'])} speakers enrolled{anew}, under {answer['model']}.")
    if answer["skipped"]:
        console.print(escape(f"Enrolled before, and left as they were: {', '.join(answer['skipped'])}."))
    if answer.get("thresholds"):
        console.print(f"Thresholds stored for {', '.join(answer['thresholds'])}.")


def speakers(listed: Any, console: Console) -> None:
    """GET /speakers, all pages."""
    if not listed:
        console.print("Nobody is enrolled.")
        return
    rows = [
        (
            speaker["speaker_id"],
            speaker["name"] or "",
            ", ".join(speaker["collections"]),
            f"{speaker['speech_s']:.1f}",
            str(speaker["utterances"]),
            "stale" if speaker["stale"] else "ok" if speaker["quality"]["ok"] else "see advice",
            speaker["model"],
        )
        for speaker in listed
    ]
    _table(console, ("id", "name", "collections", "speech", "recordings", "state", "model"), rows)


def job(answer: Any, console: Console) -> None:
    """GET /finetune/{job_id}."""
    steps = f", {answer['step']} of {answer['steps']} steps" if answer["steps"] else ""
    console.print(f"job {answer['job_id']}: {answer['state']}{steps}")
    if answer["error"]:
        console.print(escape(answer["error"]))
    if answer["report"]:
        console.print(
            f"{answer['report']['verdict'].replace('_', ' ')}: {escape(answer['report']['reason'])}"
        )
    if answer["activation"]:
        console.print(escape(answer["activation"]["reason"]))
    elif answer["version_removed"]:
        console.print(f"Version {answer['version']} was removed.")
    elif answer["version"]:
        console.print(f"twofold models --activate {answer['version']}")


def jobs(listed: Any, console: Console) -> None:
    """GET /finetune, all pages."""
    if not listed:
        console.print("There are no jobs.")
        return
    for job in listed:  # no table: ids are there to be copied
        verdict = job["report"]["verdict"].replace("_", " ") if job["report"] else job["error"] or ""
        made = f", {job['version']}" if job["version"] else ""
        made += " (removed)" if job["version_removed"] else ""
        created = job["created_at"][:16].replace("T", " ")
        console.print(escape(f"{job['job_id']}  {created}  {job['state']:<9}  {verdict}{made}".rstrip()))


def models(answer: Any, console: Console) -> None:
    """GET /models."""
    rows = [
        (_role(model, answer), model["version"], model["name"], model["created_at"])
        for model in answer["models"]
    ]
    _table(console, ("active", "version", "name", "created"), rows)
    for notice in answer["notices"]:
        console.print(escape(notice))


def _role(model: Any, answer: Any) -> str:
    model_id = f"{model['name']}/{model['version']}"
    if model_id == answer["generator"]:
        return "generates"
    return "*" if model_id == answer["model"] else ""


def activation(answer: Any, console: Console) -> None:
    """POST /models/{version}/activate."""
    carried = answer["speakers"]
    console.print(
        f"{answer['model']} serves. Speakers: {carried['reembedded']} embedded anew, "
        f"{carried['mapped']} mapped, {carried['kept']} kept, {carried['stale']} stale."
    )


def _who(candidate: Any) -> str:
    name = candidate["name"]
    speaker_id = candidate["speaker_id"]
    return escape(f"{name} ({speaker_id})" if name else speaker_id)


def _threshold(answer: Any) -> str:
    collection = answer.get("threshold_collection")
    return f"threshold {answer['threshold']:.3f}" + (f" (stored for {collection})" if collection else "")


def _warnings(answer: Any, console: Console) -> None:
    for warning in answer["warnings"]:
        console.print(escape(warning))


def _vector(values: list[float]) -> str:
    return " ".join(f"{value:+.3f}" for value in values[:4]) + " …"


def recordings(answer: Any, console: Console) -> None:
    """GET /speakers/{id}/recordings."""
    rows = [
        (
            str(recording["recording"]),
            f"{recording['speech_s']:.1f}",
            "retained" if recording["audio_retained"] else "",
            recording["created_at"][:16].replace("T", " "),
            " ".join(issue["advice"] for issue in recording["issues"]),
        )
        for recording in answer["recordings"]
    ]
    _table(console, ("number", "speech", "audio", "enrolled", ""), rows)


def erasures(answer: Any, console: Console) -> None:
    """GET /erasures."""
    for erasure in answer["erasures"]:
        who = erasure["speaker_id"] or "a speaker"
        console.print(escape(f"{who}: asked for at {erasure['requested_at'][:16].replace('T', ' ')}"))
    for place in answer["left"]:
        console.print(escape(f"{place['place']}: {place['reason']}"))
    if not answer["erasures"]:
        console.print("Nothing is left to erase.")


def calibration(answer: Any, console: Console) -> None:
    """POST /calibrate: three thresholds. Only --json prints the curves."""
    names = (
        ("chosen", f"accepts strangers at {answer['target_fpr']:.1%} at most"),
        ("default", "what the model takes by itself"),
        ("equal", "both errors alike"),
    )
    rows = [
        (
            f"{answer[name]['threshold']:.3f}",
            f"{answer[name]['false_accept_rate']:.1%}",
            f"{answer[name]['false_reject_rate']:.1%}",
            meaning,
        )
        for name, meaning in names
    ]
    _table(console, (answer["score_type"], "strangers accepted", "owners refused", ""), rows)
    console.print(f"{answer['own_trials']} trials of owners, {answer['stranger_trials']} of strangers")
    _warnings(answer, console)
    if stored := answer.get("stored"):
        console.print(
            f"{stored['threshold']:.3f} decides about {stored['collection']} from now on. Undo it with "
            f"`twofold thresholds --remove {stored['collection']}`."
        )


def thresholds(answer: Any, console: Console) -> None:
    """GET /thresholds."""
    if not answer["thresholds"]:
        console.print("No threshold is stored. `twofold calibrate FOLDER --collection NAME` stores one.")
        return
    rows = [
        (
            stored["collection"],
            f"{stored['threshold']:.3f}",
            f"{stored['false_accept_rate']:.1%}",
            f"{stored['false_reject_rate']:.1%}",
            stored["model"],
            "counts" if stored["counts"] else "does not count: another model serves",
        )
        for stored in answer["thresholds"]
    ]
    _table(console, ("collection", "threshold", "strangers accepted", "owners refused", "model", ""), rows)


def findings(answer: Any, console: Console) -> None:
    """What the doctor says: a line each, then how many things are wrong."""
    marks = {"well": "ok", "note": "note", "wrong": "WRONG"}
    for finding in answer:
        console.print(f"{marks[finding['verdict']]:<6} {finding['subject']}: {finding['text']}", markup=False)
    faults = sum(finding["verdict"] == "wrong" for finding in answer)
    console.print(f"{faults} to be mended." if faults else "Nothing is wrong.")


def _table(
    console: Console, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, escaped: bool = False
) -> None:
    table = Table(*(Column(name, overflow="fold") for name in columns))  # ids are there to be copied
    for row in rows:
        table.add_row(*(row if escaped else map(escape, row)))
    console.print(table)
