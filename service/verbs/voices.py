"""The verbs of enrolled voices: `enrol`, `enrol-all`, `speakers`, `rename`, `move`, `delete`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from service.client import BulkAnswer, Client
from service.client.folders import EnrolOutcome
from service.verbs import render
from service.verbs.terminal import (
    NO,
    AudioFiles,
    Collections,
    Consent,
    Joins,
    Json,
    Key,
    RetainAudio,
    Service,
    SpeakerId,
    Strict,
    Url,
    printable,
    show,
)
from service.verbs.wording import in_words_of_the_command


def register(app: typer.Typer, service: Service) -> None:
    """Adds the verbs to a command line."""

    @app.command()
    def enrol(
        speaker_id: SpeakerId,
        files: AudioFiles = [],  # noqa: B006  typer copies it
        name: Annotated[str | None, typer.Option(help="Name to show.")] = None,
        metadata: Annotated[str | None, typer.Option(help="A JSON object to store.")] = None,
        collection: Joins = None,
        consent: Consent = None,
        retain_audio: RetainAudio = False,
        strict: Strict = False,
        add: Annotated[bool, typer.Option("--add", help="Add to an enrolled speaker.")] = False,
        from_job: Annotated[
            str | None, typer.Option(help="Instead of files: a job of `diarize --background`.")
        ] = None,
        label: Annotated[str | None, typer.Option(help="With --from-job: who, as 'unknown 2'.")] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Enrols a voice from at least 5 s of speech. With --add, adds recordings to an enrolled voice."""
        if (not files) != (from_job is not None) or (label is None) != (from_job is None):
            raise typer.BadParameter("Give files, or both --from-job and --label.")
        if add and any(option is not None for option in (name, metadata, collection, consent)):
            raise typer.BadParameter(
                "--name, --metadata, --collection and --consent are set at enrolment: "
                "leave them out with --add."
            )
        with service(url, key) as client:
            if from_job is not None and label is not None:
                answer = client.enrol_from_diarization(speaker_id, from_job, label, name=name)
            elif add:
                answer = client.add_audio(speaker_id, *files, retain_audio=retain_audio, strict=strict)
            else:
                answer = client.enrol(
                    speaker_id,
                    *files,
                    name=name,
                    metadata=_object(metadata),
                    collection=collection or (),
                    consent=consent,
                    retain_audio=retain_audio,
                    strict=strict,
                )
        show(answer, as_json, render.enrolment)

    @app.command()
    def enrol_all(
        people: Annotated[
            Path | None,
            typer.Argument(
                metavar="[FOLDER|ARCHIVE]",
                exists=True,
                help="Has a folder of recordings for each person, or a file for each; or a zip or tar.",
            ),
        ] = None,
        background: Annotated[
            bool,
            typer.Option(
                "--background",
                help="Send a folder at once, as an archive always is; the service goes on alone.",
            ),
        ] = False,
        job: Annotated[
            str | None, typer.Option(metavar="ID", help="Instead: wait for an archive that was sent before.")
        ] = None,
        collection: Joins = None,
        consent: Consent = None,
        retain_audio: RetainAudio = False,
        strict: Strict = False,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Enrols everybody of a folder or an archive: `ann/1.wav` or `ann.wav` is of ann.

        Status 1 if somebody is missing. It can be started again: whoever is enrolled stays as they are.
        """
        terms: dict[str, Any] = {
            "collection": collection or (),
            "consent": consent,
            "retain_audio": retain_audio,
            "strict": strict,
        }
        if (people is None) == (job is None):
            raise typer.BadParameter("Give a folder, an archive or --job.")
        if people is None or background or people.is_file():
            with service(url, key) as client, _bar() as bar:
                report = _report(client, bar, people or str(job), terms)
            show(report, as_json, render.bulk)
            if report.error is not None:
                typer.echo(f"error: {printable(report.error)}", err=True)
            if report.error is not None or report.refused:
                raise typer.Exit(NO)
            return
        with service(url, key) as client, _bar() as bar:
            task = bar.add_task("enrolling", total=None)

            def advance(outcome: EnrolOutcome) -> None:
                bar.update(
                    task,
                    description=printable(outcome.speaker_id),
                    completed=outcome.done,
                    total=outcome.people,
                )

            outcomes = client.enrol_all(people, progress=advance, **terms)
        rows = [
            {
                "speaker_id": outcome.speaker_id,
                "speech_s": outcome.answer.speech_s if outcome.answer else None,
                "said": in_words_of_the_command(outcome.reason)
                or (outcome.answer.quality.advice if outcome.answer else ""),
            }
            for outcome in outcomes
        ]
        show(rows, as_json, render.enrolments)
        if not all(outcome.complete for outcome in outcomes):
            raise typer.Exit(NO)

    @app.command()
    def speakers(
        collection: Collections = None, url: Url = None, key: Key = None, as_json: Json = False
    ) -> None:
        """Lists all enrolled speakers."""
        with service(url, key) as client:
            listed = list(client.speakers(collection=collection or ()))
        show(listed, as_json, render.speakers)

    @app.command()
    def rename(
        speaker_id: SpeakerId,
        name: Annotated[str, typer.Argument(metavar="NAME", help="The new name; '' for none.")],
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """Changes the name of a speaker. The id stays."""
        with service(url, key) as client:
            show([client.rename(speaker_id, name or None)], as_json, render.speakers)

    @app.command()
    def move(
        speaker_id: SpeakerId,
        collections: Annotated[
            list[str] | None, typer.Argument(metavar="COLLECTION", help="None: into no collection.")
        ] = None,
        url: Url = None,
        key: Key = None,
        as_json: Json = False,
    ) -> None:
        """From now on the speaker is in these collections and in no other."""
        with service(url, key) as client:
            show([client.move(speaker_id, collections or ())], as_json, render.speakers)

    @app.command()
    def delete(speaker_id: SpeakerId, url: Url = None, key: Key = None) -> None:
        """Erases a speaker and the retained audio. Cannot be undone."""
        with service(url, key) as client:
            client.delete(speaker_id)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True)
    )


def _report(client: Client, bar: Progress, people: Path | str, terms: dict[str, Any]) -> BulkAnswer:
    """Sends a folder or an archive, or takes the id of a job, and waits for the report."""
    task = bar.add_task("sending", total=None)

    def advance(job: BulkAnswer) -> None:
        if not bar.tasks[task].total:
            bar.console.print(
                f"Job {job.job_id} goes on if you leave: `twofold enrol-all --job ID` waits for it."
            )
        recordings = [recording for person in job.people for recording in person.recordings]
        done = sum(recording.outcome != "waiting" for recording in recordings)
        bar.update(task, description=job.state, completed=done, total=len(recordings))

    if isinstance(people, str):
        return client.wait_for_enrolments(people, advance)
    return client.enrol_archive(people, progress=advance, **terms)


def _object(text: str | None) -> dict[str, object] | None:
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"--metadata is no JSON: {error}.") from None
    if not isinstance(value, dict):
        raise typer.BadParameter('--metadata has to be a JSON object, as \'{"team": "blue"}\'.')
    return value
