"""The client verbs as a user types them, against a real service."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from service.cli import app
from tests.service.bulk.test_archive import zipped

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def own_service(start_service: Any, tiny_models: Path) -> Any:
    return start_service(tiny_models)


def environment(**settings: str) -> dict[str, str | None]:
    """TWOFOLD_* as given, and none beside."""
    clean = {key: None for key in os.environ if key.startswith("TWOFOLD_")}
    return clean | {f"TWOFOLD_{name.upper()}": value for name, value in settings.items()} | {"COLUMNS": "100"}


def run_cli(*args: str, **settings: str) -> Result:
    return CliRunner().invoke(app, args, env=environment(**settings))


def run_process(*args: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, as computing here sets up the process's logging."""
    variables = {k: v for k, v in (os.environ | environment(**settings)).items() if v is not None}
    command = [sys.executable, "-m", "service", *args]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def cli(own_service: Any) -> Run:
    """Runs a verb against the service, which it finds by TWOFOLD_PORT."""
    port = own_service.url.rpartition(":")[2]
    return lambda *args: run_cli(*args, port=port)


@pytest.fixture(scope="module")
def files(voices: Any, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("files")
    paths = []
    for i, voice in enumerate(voices[:2]):
        path = folder / f"voice [{i}].opus"  # brackets are markup to rich
        path.write_bytes(voice.probe)
        paths.append(str(path))
    return paths


@pytest.fixture
def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def test_enrol_identify_verify_list_delete(cli: Run, files: list[str]) -> None:
    joined = ("--collection", "door", "--collection", "staff", "--consent", "At the door.")
    enrolled = cli("enrol", "ada", files[0], "--name", "Ada [x]", "--metadata", '{"a": 1}', *joined)
    assert enrolled.exit_code == 0, enrolled.stderr
    assert "ada: 1 recordings" in enrolled.stdout

    again = cli("enrol", "ada", files[0])
    assert (again.exit_code, again.stdout) == (2, "")
    assert "409 conflict" in again.stderr
    added = cli("enrol", "ada", files[0], "--add", "--json")
    assert json.loads(added.stdout)["utterances"] == 1  # the same recording again counts once

    yes = cli("identify", files[0], "--threshold", "0.99")
    assert yes.exit_code == 0, yes.stderr
    assert "It is Ada [x] (ada)." in yes.stdout
    no = cli("identify", files[1], "--threshold", "1", "--json")
    assert no.exit_code == 1
    assert json.loads(no.stdout)["match"] is None

    accepted = cli("verify", "ada", files[0])
    assert accepted.exit_code == 0, accepted.stderr
    assert accepted.stdout.startswith("Accepted")
    assert cli("verify", "ada", files[1], "--threshold", "1").exit_code == 1

    listed = cli("speakers")
    assert "Ada [x]" in listed.stdout
    (ada,) = json.loads(cli("speakers", "--collection", "staff", "--json").stdout)
    assert (ada["speaker_id"], ada["consent"]["text"]) == ("ada", "At the door.")
    assert "staff" not in cli("move", "ada", "door").stdout
    assert "Nobody" in cli("speakers", "--collection", "staff").stdout
    assert cli("identify", files[0], "--collection", "staff").exit_code == 1
    assert "404" in cli("verify", "ada", files[0], "--collection", "staff").stderr
    assert cli("diarize", files[0], "--collection", "staff", "--target-fpr", "0.5").exit_code == 0

    assert cli("delete", "ada").exit_code == 0
    gone = cli("delete", "ada")
    assert gone.exit_code == 2
    assert "404 not_found" in gone.stderr
    assert "Nobody is enrolled." in cli("speakers").stdout


def test_embed_with_and_without_a_service_agree(
    cli: Run, files: list[str], tiny_models: Path, free_port: str, tmp_path: Path
) -> None:
    remote = cli("embed", *files, "--json", "--segments")
    assert remote.exit_code == 0, remote.stderr
    alone = run_process(
        *("embed", *files, "--json", "--segments"),
        port=free_port,
        models_dir=str(tiny_models),
        state_dir=str(tmp_path / "state"),
    )
    assert alone.returncode == 0, alone.stderr
    assert "computing here" in alone.stderr
    with_service, without = json.loads(remote.stdout), json.loads(alone.stdout)
    assert (without["model"], without["dim"]) == (with_service["model"], with_service["dim"])
    for local_file, service_file in zip(without["results"], with_service["results"], strict=True):
        assert local_file["filename"] == service_file["filename"]
        assert local_file["speech_s"] == service_file["speech_s"]
        assert local_file["embedding"] == pytest.approx(service_file["embedding"], abs=1e-5)
        assert len(local_file["segments"]) == len(service_file["segments"])
    assert not (tmp_path / "state").exists()  # computing here leaves nothing behind


def test_recordings_are_listed_played_and_removed(cli: Run, files: list[str], tmp_path: Path) -> None:
    assert cli("enrol", "ida", *files, "--retain-audio").exit_code == 0
    listed = json.loads(cli("recordings", "ida", "--json").stdout)["recordings"]
    assert [recording["recording"] for recording in listed] == [1, 2]
    assert "retained" in cli("recordings", "ida").stdout
    out = tmp_path / "one.ogg"
    assert cli("recordings", "ida", "1", "--out", str(out), "--remove").exit_code == 0
    assert out.read_bytes().startswith(b"OggS")
    assert len(json.loads(cli("recordings", "ida", "--json").stdout)["recordings"]) == 1
    for wrong in (["1"], ["--remove"]):
        assert cli("recordings", "ida", *wrong).exit_code == 2
    assert cli("delete", "ida").exit_code == 0
    assert cli("erasures").exit_code == 0
    for wrong in ([], ["--from-job", "1"], [files[0], "--from-job", "1", "--label", "unknown 1"]):
        assert "--from-job and --label" in cli("enrol", "ida", *wrong).stderr
    assert "404 not_found" in cli("enrol", "ida", "--from-job", "1", "--label", "unknown 1").stderr


def test_a_refusal_speaks_of_the_options_of_the_command(cli: Run, files: list[str]) -> None:
    assert cli("enrol", "ann", files[0]).exit_code == 0
    again = cli("enrol", "ann", files[0])
    assert "`twofold enrol ann FILE --add`" in again.stderr
    assert "`twofold delete`" in again.stderr
    assert "--top-k: Input should be" in cli("identify", files[0], "--top-k", "0").stderr
    assert "ID: String should match" in cli("enrol", "no id", files[0]).stderr
    assert "`twofold models`" in cli("models", "--activate", "9.9").stderr
    assert "--metadata" in cli("enrol", "bob", files[0], "--metadata", "[1]").stderr
    assert cli("delete", "ann").exit_code == 0


def test_everybody_of_a_folder_is_enrolled(cli: Run, files: list[str], tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    for i, file in enumerate(files):
        (tmp_path / "ann" / f"{i}.opus").write_bytes(Path(file).read_bytes())
    (tmp_path / "bob.opus").write_bytes(Path(files[1]).read_bytes())
    (tmp_path / "cat.wav").write_bytes(b"no audio")
    (tmp_path / "README.md").write_text("Who they are.")
    (tmp_path / ".DS_Store").write_bytes(b"?")
    done = cli("enrol-all", str(tmp_path), "--json")
    assert done.exit_code == 1  # cat
    ann, bob, cat = json.loads(done.stdout)
    assert (ann["speaker_id"], bob["speaker_id"], cat["speaker_id"]) == ("ann", "bob", "cat")
    assert ann["speech_s"] > bob["speech_s"] > 0
    assert cat["speech_s"] is None
    assert "(415 unsupported_media)" in cat["said"] or "(422 invalid_audio)" in cat["said"]
    assert "3/3" in done.stderr  # the bar
    (tmp_path / "cat.wav").unlink()
    measured = cli("calibrate", str(tmp_path), "--target-fpr", "0.5")
    assert measured.exit_code == 0, measured.stderr
    assert "accepts strangers at 50.0% at most" in measured.stdout
    assert "No threshold is stored." in cli("thresholds").stdout
    stored = cli("calibrate", str(tmp_path), "--collection", "staff")
    assert "`twofold thresholds --remove staff`" in stored.stdout
    assert "counts" in cli("thresholds").stdout
    assert "(stored for staff)" in cli("identify", files[0], "--collection", "staff").stdout
    assert cli("thresholds", "--remove", "staff").exit_code == 0
    assert "`twofold thresholds` lists them" in cli("thresholds", "--remove", "staff").stderr
    again = cli("enrol-all", str(tmp_path), "--json")
    assert again.exit_code == 0  # everybody is there
    assert [person["said"] for person in json.loads(again.stdout)] == [
        f"Enrolled already, with {n} recordings." for n in (2, 1)
    ]
    at_once = cli("enrol-all", str(tmp_path), "--background", "--json")
    assert at_once.exit_code == 0, at_once.stderr
    reports = [report for person in json.loads(at_once.stdout)["people"] for report in person["recordings"]]
    assert [(report["file"], report["outcome"]) for report in reports] == [
        (file, "unchanged") for file in ("ann/0.opus", "ann/1.opus", "bob.opus")
    ]
    job_id = json.loads(at_once.stdout)["job_id"]
    assert json.loads(cli("enrol-all", "--job", job_id, "--json").stdout) == json.loads(at_once.stdout)
    assert f"Job {job_id}" in at_once.stderr.replace("\n", " ")
    (tmp_path / "people.zip").write_bytes(zipped({"../cy.wav": b""}))
    assert "outside of it" in cli("enrol-all", str(tmp_path / "people.zip")).stderr
    people = json.loads(cli("speakers", "--json").stdout)
    assert [(person["speaker_id"], person["utterances"]) for person in people] == [("ann", 2), ("bob", 1)]
    for person in ("ann", "bob"):
        assert cli("delete", person).exit_code == 0
    (tmp_path / "empty").mkdir()
    assert "has no recordings" in cli("enrol-all", str(tmp_path / "empty")).stderr


def test_voices_are_exported_encrypted_and_imported(cli: Run, files: list[str], tmp_path: Path) -> None:
    assert cli("enrol", "ann", files[0], "--name", "Ann").exit_code == 0
    assert "Annika" in cli("rename", "ann", "Annika").stdout
    secret, file = tmp_path / "passphrase", tmp_path / "voices"
    secret.write_text("correct horse\n")
    written = cli("export", str(file), "--passphrase-file", str(secret))
    assert written.exit_code == 0, written.stderr
    assert "1 speakers" in written.stdout
    assert "Annika" not in file.read_text()
    assert "Enrolled before" in cli("import", str(file), "--passphrase-file", str(secret)).stdout
    assert cli("delete", "ann").exit_code == 0
    secret.write_text("another one")
    assert (
        "The passphrase is another one" in cli("import", str(file), "--passphrase-file", str(secret)).stderr
    )
    secret.write_text("correct horse")
    assert "1 speakers enrolled" in cli("import", str(file), "--passphrase-file", str(secret)).stdout
    assert "Annika" in cli("speakers").stdout
    assert cli("delete", "ann").exit_code == 0


def test_content_is_written_for_numpy(cli: Run, files: list[str], tmp_path: Path) -> None:
    out = tmp_path / "frames.npy"
    assert cli("content", files[0], "--out", str(out)).exit_code == 0
    answer = json.loads(cli("content", files[0], "--json").stdout)
    assert np.load(out).shape == (len(answer["results"][0]["frames"]), answer["dim"])
    shown = cli("content", files[0])
    assert f"vectors of {answer['dim']}" in shown.stdout
    assert "cannot be written" in cli("content", files[0], "--out", str(tmp_path / "no" / "x.npy")).stderr


def test_no_jobs_are_listed_and_an_unknown_one_is_an_error(cli: Run) -> None:
    assert cli("jobs").stdout == "There are no jobs.\n"
    unknown = cli("jobs", "nowhere")
    assert unknown.exit_code == 2
    assert "`twofold jobs`" in unknown.stderr
    assert cli("jobs", "--cancel").exit_code == 2


def test_embed_for_people(cli: Run, files: list[str]) -> None:
    shown = cli("embed", files[0])
    assert shown.exit_code == 0, shown.stderr
    assert "voice [0].opus" in shown.stdout


def test_local_embed_names_what_is_wrong(tmp_path: Path, tiny_models: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("this is no audio")
    answer = run_process("embed", "--local", str(text), models_dir=str(tiny_models), state_dir=str(tmp_path))
    assert answer.returncode == 2
    assert "error: " in answer.stderr
    assert "Traceback" not in answer.stderr
    nothing = run_process("embed", "--local", str(text), models_dir=str(tmp_path), state_dir=str(tmp_path))
    assert nothing.returncode == 2
    assert "TWOFOLD_MODELS_DIR" in nothing.stderr


def test_models_are_listed_and_switched(cli: Run) -> None:
    assert "0.1.0" in cli("models").stdout
    switched = cli("models", "--activate", "0.1.0")
    assert switched.exit_code == 0, switched.stderr
    assert "autodecompose/0.1.0 serves" in switched.stdout
    assert json.loads(cli("models", "--json").stdout)["active"] == "0.1.0"
    assert cli("models", "--activate", "0.2.0").exit_code == 0
    assert cli("models", "--activate", "9.9").exit_code == 2


def test_no_service_is_said_clearly(free_port: str) -> None:
    answer = run_cli("speakers", port=free_port)
    assert answer.exit_code == 2
    assert (
        f"No service answers at http://127.0.0.1:{free_port}. Start one with `twofold serve`" in answer.stderr
    )
    assert "Traceback" not in answer.stderr


def test_url_and_key_options(own_service: Any) -> None:
    assert run_cli("speakers", "--url", own_service.url, "--key", "x" * 16).exit_code == 0


@pytest.mark.parametrize(
    "args",
    [("identify", "missing.wav"), ("enrol", "ada"), ("embed",), ("identify",), ("verify", "ada")],
)
def test_usage_errors(args: tuple[str, ...]) -> None:
    assert run_cli(*args).exit_code == 2
