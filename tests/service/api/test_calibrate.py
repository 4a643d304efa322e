"""POST /calibrate, on the six readers of the examples."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import pytest
from PIL import Image

from service.client import Client
from tests.service.conftest import RunningService

Files = list[tuple[str, tuple[str, bytes]]]


@pytest.fixture(scope="module")
def labelled(examples: Path) -> tuple[list[str], Files]:
    """Three recordings of each of three readers."""
    paths = sorted(
        path for reader in ("1998", "2414", "3005") for path in (examples / "audio" / reader).iterdir()
    )
    return [path.parent.name for path in paths], [("audio", (path.name, path.read_bytes())) for path in paths]


@pytest.fixture
def calibrated(http: httpx.Client, labelled: tuple[list[str], Files]) -> httpx.Response:
    speakers, files = labelled
    return http.post("/calibrate", data={"speaker": speakers, "target_fpr": "0.2"}, files=files)


def test_the_curves_say_what_a_threshold_does(calibrated: httpx.Response) -> None:
    body = calibrated.json()
    assert (body["speakers"], body["own_trials"], body["stranger_trials"]) == (3, 9, 18)
    accepted, refused = (
        [point[rate] for point in body["curves"]] for rate in ("false_accept_rate", "false_reject_rate")
    )
    assert accepted == sorted(accepted, reverse=True)
    assert refused == sorted(refused)
    assert (accepted[0], refused[0], accepted[-1], refused[-1]) == (1, 0, 0, 1)
    assert body["chosen"]["false_accept_rate"] <= body["target_fpr"] == 0.2
    assert len(body["audio"]) == 9
    assert [warning for warning in body["warnings"] if "9 trials of owners" in warning]


def test_the_curves_come_as_a_picture(http: httpx.Client, labelled: tuple[list[str], Files]) -> None:
    speakers, files = labelled
    answer = http.post("/calibrate", data={"speaker": speakers}, files=files, headers={"Accept": "image/png"})
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).width > 500


@pytest.mark.parametrize(
    ("speakers", "said"),
    [
        (["a"], "one `speaker` for each file"),
        (["a"] * 9, "at least two speakers"),
        ([str(i) for i in range(9)], "at least two recordings"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    http: httpx.Client, labelled: tuple[list[str], Files], speakers: list[str], said: str
) -> None:
    answer = http.post("/calibrate", data={"speaker": speakers}, files=labelled[1])
    assert (answer.status_code, said in answer.json()["detail"]) == (400, True)


def test_a_stored_threshold_decides_about_its_collection(
    http: httpx.Client, labelled: tuple[list[str], Files]
) -> None:
    speakers, files = labelled
    form = {"speaker": speakers, "target_fpr": "0.2", "collection": "crew"}
    answer = http.post("/calibrate", data=form, files=files).json()
    stored = answer["stored"]
    assert (stored["collection"], stored["point"], stored["counts"]) == ("crew", "chosen", True)
    assert (stored["threshold"], stored["model"]) == (answer["chosen"]["threshold"], answer["model"])
    assert http.get("/thresholds").json() == {"thresholds": [stored]}

    fields = {"speaker_id": "cy", "collection": "crew"}
    assert http.post("/speakers", data=fields, files=files[:1]).status_code == 201
    ways: list[tuple[dict[str, str], str | None]] = [
        ({"collection": "crew"}, "crew"),
        ({}, None),
        ({"collection": "crew", "target_fpr": "0.01"}, None),
        ({"collection": "crew", "threshold": "0.1"}, None),
    ]
    try:
        for way, counted in ways:
            answers = [
                http.post("/verify", data={"speaker_id": "cy"} | way, files=files[1:2]).json(),
                http.post("/identify", data=way, files=files[1:2]).json(),
            ]
            if "threshold" not in way:
                answers += http.post("/diarize", data=way, files=files[1:2]).json()["speakers"]
            for said in answers:
                assert said["threshold_collection"] == counted, way
                if counted:  # one voice is compared
                    assert said["threshold"] == pytest.approx(stored["threshold"])
        equal = http.post("/calibrate", data=form | {"store": "equal"}, files=files).json()
        assert equal["stored"]["threshold"] == equal["equal"]["threshold"]
        assert [t["point"] for t in http.get("/thresholds").json()["thresholds"]] == ["equal"]
    finally:
        assert http.delete("/speakers/cy").status_code == 204
        assert http.delete("/thresholds/crew").status_code == 204
    assert http.delete("/thresholds/crew").json()["code"] == "not_found"
    assert http.get("/thresholds").json() == {"thresholds": []}


def test_which_threshold_needs_a_collection(http: httpx.Client, labelled: tuple[list[str], Files]) -> None:
    speakers, files = labelled
    answer = http.post("/calibrate", data={"speaker": speakers, "store": "equal"}, files=files)
    assert (answer.status_code, "`collection`" in answer.json()["detail"]) == (422, True)


def test_the_client_labels_the_recordings(service: RunningService, examples: Path) -> None:
    recordings = {r: sorted((examples / "audio" / r).iterdir())[:2] for r in ("1998", "3005")}
    with Client(service.url) as client:
        answer = client.calibrate(recordings, target_fpr=0.3, collection="choir", store="equal")
        assert client.thresholds().thresholds == [answer.stored]
        client.remove_threshold("choir")
        assert client.thresholds().thresholds == []
    assert (answer.speakers, answer.own_trials, answer.target_fpr) == (2, 4, 0.3)
