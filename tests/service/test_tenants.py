"""Two tenants and the operator, on each store, the shared one with two replicas."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from service.cli import app
from service.jobs import Folders, open_store
from service.settings import Settings
from service.tenants import OPERATOR, Tenant, owner, shown, version_owner
from tests.conftest import StartRedis
from tests.service.conftest import RunningService, StartService, Voice, WriteBundle
from tests.service.jobs.test_store import NOW, ROOMY, new_job

LIMIT_S = 30.0
VERSIONS = {"acme": "ft-20260101-083015-7f3a52-acme", "beta": "ft-20260102-083015-7f3a53-beta"}


@dataclass
class Shared:
    """What the tenants share: one service, or two replicas."""

    services: list[RunningService]
    settings: Settings
    keys: dict[str, str]  # by tenant
    restart: Callable[[], list[RunningService]]

    def client(self, tenant: str, replica: int = 0) -> httpx.Client:
        http = self.services[replica % len(self.services)].client()
        http.headers["Authorization"] = f"Bearer {self.keys[tenant]}"
        return http


@pytest.fixture(scope="module", params=["embedded", "replicated"])
def shared(
    request: pytest.FixtureRequest,
    start_service: StartService,
    write_bundle: WriteBundle,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shared]:
    folder = tmp_path_factory.mktemp("tenants")
    write_bundle(folder / "models", "1.0.0", day=9)
    for version in VERSIONS.values():
        write_bundle(folder / "models", version)
    keys = {}
    for tenant in ("acme", "beta", ""):
        arguments = ["keys", "new", "--file", str(folder / "keys"), "--tenant", tenant]
        keys[tenant] = CliRunner().invoke(app, arguments).stdout.strip()
    settings = {"keys_file": folder / "keys", "state_dir": folder / "state"}
    replicas = 1
    if request.param == "replicated":
        start_redis: StartRedis = request.getfixturevalue("start_redis")
        settings["redis_url"] = start_redis().url
        replicas = 2

    def start() -> list[RunningService]:
        return [start_service(folder / "models", **settings) for _ in range(replicas)]

    both = Shared(start(), Settings(models_dir=folder / "models", **settings), keys, start)
    yield both
    for service in both.services:
        service.stop()


@pytest.fixture
def acme(shared: Shared) -> Iterator[httpx.Client]:
    with shared.client("acme") as client:
        yield client


@pytest.fixture
def beta(shared: Shared) -> Iterator[httpx.Client]:
    """At the other replica, where there are two."""
    with shared.client("beta", replica=1) as client:
        yield client


@pytest.fixture
def operator(shared: Shared) -> Iterator[httpx.Client]:
    with shared.client("") as client:
        yield client


def enrol(http: httpx.Client, speaker_id: str, audio: bytes, name: str) -> httpx.Response:
    form = {"speaker_id": speaker_id, "name": name, "retain_audio": "true"}
    return http.post("/speakers", data=form, files={"audio": ("a.opus", audio)})


def candidates(http: httpx.Client, audio: bytes) -> list[tuple[str, str]]:
    """Who was compared, with id and name."""
    answer = http.post("/identify", files={"audio": ("a.opus", audio)}).json()
    assert answer["searched"] == len(answer["candidates"])
    return sorted((c["speaker_id"], c["name"]) for c in answer["candidates"])


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def listed(http: httpx.Client) -> list[str]:
    """The ids of all pages of one speaker."""
    ids: list[str] = []
    cursor = None
    while True:
        page = http.get("/speakers", params={"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        ids += [speaker["speaker_id"] for speaker in page["speakers"]]
        cursor = page["next_cursor"]
        if cursor is None:
            assert page["total"] == len(ids)
            return ids


def store_threshold(http: httpx.Client, voices: list[Voice]) -> None:
    """For the collection `staff`."""
    clips = [clip for voice in voices[:2] for clip in (voice.probe, voice.short)]
    files = [("audio", ("a.opus", clip)) for clip in clips]
    form = {"speaker": ["a", "a", "b", "b"], "collection": "staff"}
    assert http.post("/calibrate", data=form, files=files).status_code == 200


def thresholds_of(http: httpx.Client) -> list[str]:
    """Collections with a stored threshold."""
    return [threshold["collection"] for threshold in http.get("/thresholds").json()["thresholds"]]


def test_tenants_know_nothing_of_each_others_voices(
    shared: Shared, acme: httpx.Client, beta: httpx.Client, operator: httpx.Client, voices: list[Voice]
) -> None:
    audio = voices[0].probe
    for http, names in ((acme, ("ann", "zed")), (beta, ("ann",)), (operator, ("ann", "bob"))):
        for name in names:
            answer = enrol(http, name, audio, name=f"{name} of {http.headers['authorization'][-4:]}")
            assert answer.status_code == 201, answer.text
            assert (answer.json()["speaker_id"], answer.headers["location"]) == (name, f"/speakers/{name}")
    assert enrol(beta, "ann", audio, "again").json()["code"] == "conflict"

    def check() -> None:
        for http, ids in ((acme, ["ann", "zed"]), (beta, ["ann"]), (operator, ["ann", "bob"])):
            mark = http.headers["authorization"][-4:]
            wait_for(lambda h=http, i=ids: len(candidates(h, audio)) == len(i))
            assert candidates(http, audio) == [(i, f"{i} of {mark}") for i in ids]
            assert listed(http) == ids
            gallery = http.get("/gallery").text
            assert [json.loads(line)["speaker_id"] for line in gallery.splitlines()[1:-1]] == ids
            assert "~" not in gallery
            assert http.get("/speakers/ann").json()["name"] == f"ann of {mark}"

    check()
    # What another has is as unknown as what nobody has.
    for speaker_id in ("zed", "nobody"):
        form = {"data": {"speaker_id": speaker_id}, "files": {"audio": ("a.opus", audio)}}
        answers = [
            beta.get(f"/speakers/{speaker_id}"),
            beta.post("/verify", **form),
            beta.post(f"/speakers/{speaker_id}/audio", files={"audio": ("a.opus", audio)}),
            beta.delete(f"/speakers/{speaker_id}"),
            beta.patch(f"/speakers/{speaker_id}", json={"name": "Eve"}),
            beta.get(f"/speakers/{speaker_id}/recordings"),
            beta.get(f"/speakers/{speaker_id}/recordings/1"),
            beta.delete(f"/speakers/{speaker_id}/recordings/1"),
        ]
        assert [answer.status_code for answer in answers] == [404] * 8
        for answer in answers:
            assert answer.json()["detail"].replace(speaker_id, "X").startswith("No speaker 'X' is enrolled.")
            assert "acme" not in answer.text
    # Nor does a stored id, or a cursor into the voices of another, lead there.
    for http in (beta, operator):
        for stored in ("~acme/zed", "~acme/ann"):
            form = {"data": {"speaker_id": stored}, "files": {"audio": ("a.opus", audio)}}
            assert http.post("/verify", **form).status_code == 404
            assert http.post("/speakers", **form).status_code == 422
            assert http.get(f"/speakers/{stored.replace('/', '%2F')}").status_code == 404
        assert http.get("/speakers", params={"cursor": "fmFjbWUvYQ=="}).status_code == 400  # ~acme/a
    # After a restart, and after an erasure.
    store_threshold(acme, voices)
    for service in shared.services:
        service.stop()
    shared.services = shared.restart()
    with shared.client("acme") as acme, shared.client("beta", 1) as beta, shared.client("") as operator:
        check()
        assert (thresholds_of(acme), thresholds_of(beta), thresholds_of(operator)) == (["staff"], [], [])
        assert acme.delete("/thresholds/staff").status_code == 204
        assert beta.delete("/speakers/ann").status_code == 204
        wait_for(lambda: candidates(beta, audio) == [])
        assert listed(beta) == []
        assert [c[0] for c in candidates(acme, audio)] == ["ann", "zed"]
        assert acme.delete("/speakers/ann").status_code == 204
        assert listed(operator) == ["ann", "bob"]


def test_searches_and_lists_keep_to_collections(
    shared: Shared, acme: httpx.Client, beta: httpx.Client, voices: list[Voice]
) -> None:
    """Enrolled at one replica, looked for at the other."""
    audio = {"audio": ("a.opus", voices[0].probe)}
    form = {"consent": "At the door only.", "consent_at": "2026-11-25T09:30:00Z"}
    enrolled: tuple[tuple[str, list[str]], ...] = (
        ("ivo", ["door", "staff"]),
        ("jan", ["staff"]),
        ("kim", []),
    )
    for speaker_id, names in enrolled:
        fields = {"speaker_id": speaker_id, "collection": names} | form
        answer = acme.post("/speakers", data=fields, files=audio)
        assert answer.status_code == 201, answer.text
        assert answer.json()["collections"] == names
        assert answer.json()["consent"] == {"text": form["consent"], "given_at": form["consent_at"]}
    assert beta.post("/speakers", data={"speaker_id": "zoe", "collection": "staff"}, files=audio).is_success

    with shared.client("acme", replica=1) as elsewhere:

        def found(*collections: str) -> list[str]:
            fields = {"collection": list(collections), "target_fpr": "0.05"}
            answer = elsewhere.post("/identify", data=fields, files=audio).json()
            assert answer["searched"] == len(answer["candidates"])
            if answer["searched"] == 1:  # the threshold is that of one voice
                form = {"speaker_id": "ivo", "target_fpr": "0.05"}
                verified = elsewhere.post("/verify", data=form, files=audio).json()
                assert answer["threshold"] == verified["threshold"]
            listed = elsewhere.get("/speakers", params={"collection": collections}).json()
            ids = [speaker["speaker_id"] for speaker in listed["speakers"]]
            assert (listed["total"], sorted(c["speaker_id"] for c in answer["candidates"])) == (len(ids), ids)
            return ids

        wait_for(lambda: elsewhere.get("/speakers/kim").status_code == 200)
        wait_for(lambda: found("door") == ["ivo"])
        assert found("staff") == ["ivo", "jan"]
        assert found("door", "staff") == ["ivo", "jan"]
        assert found("nobody") == []
        page = elsewhere.get("/speakers", params={"collection": "staff", "limit": 1}).json()
        rest = {"collection": "staff", "cursor": page["next_cursor"]}
        (last,) = elsewhere.get("/speakers", params=rest).json()["speakers"]
        assert (page["speakers"][0]["speaker_id"], last["speaker_id"]) == ("ivo", "jan")
        for speaker_id, status in (("ivo", 200), ("jan", 404), ("kim", 404)):
            fields = {"speaker_id": speaker_id, "collection": "door"}
            assert elsewhere.post("/verify", data=fields, files=audio).status_code == status
        # They change, and end with the speaker.
        assert acme.patch("/speakers/kim", json={"collections": ["door", "door"]}).json()["collections"] == [
            "door"
        ]
        assert acme.patch("/speakers/ivo", json={"collections": []}).json()["name"] is None
        wait_for(lambda: found("door") == ["kim"])
        for speaker_id, _ in enrolled:
            assert acme.delete(f"/speakers/{speaker_id}").status_code == 204
        wait_for(lambda: found("door", "staff") == [])
    for wrong in ({"collection": "a b"}, {"consent_at": form["consent_at"]}, {"consent": ""}):
        assert acme.post("/speakers", data=wrong, files=audio).status_code == 422
    assert beta.delete("/speakers/zoe").status_code == 204


def test_thresholds_of_collections_are_the_tenants_own(
    shared: Shared, acme: httpx.Client, beta: httpx.Client, voices: list[Voice]
) -> None:
    """Stored at one replica, deciding at the other."""
    store_threshold(acme, voices)

    def counted(http: httpx.Client) -> str | None:
        form = {"data": {"collection": "staff"}, "files": {"audio": ("a.opus", voices[0].short)}}
        collection: str | None = http.post("/identify", **form).json()["threshold_collection"]
        return collection

    with shared.client("acme", replica=1) as elsewhere:
        wait_for(lambda: counted(elsewhere) == "staff")
        assert (thresholds_of(elsewhere), thresholds_of(beta), counted(beta)) == (["staff"], [], None)
        assert (counted(acme), thresholds_of(acme)) == ("staff", ["staff"])
        assert beta.delete("/thresholds/staff").status_code == 404
        assert acme.delete("/thresholds/staff").status_code == 204
        wait_for(lambda: counted(elsewhere) is None)


def test_tenants_know_nothing_of_each_others_jobs(
    shared: Shared, acme: httpx.Client, beta: httpx.Client, operator: httpx.Client
) -> None:
    jobs: dict[str, list[str]] = {}
    folders = Folders(shared.settings.state_dir, shared.settings.models_dir)
    with closing(open_store(shared.settings, folders)) as store:
        for tenant in ("acme", "beta", "", "acme"):
            job = new_job(client=tenant, tenant=tenant, activate="never", state="failed", finished_at=NOW)
            store.add(job, **ROOMY)
            jobs.setdefault(tenant, []).append(job.job_id)
    for http, tenant in ((acme, "acme"), (beta, "beta"), (operator, "")):
        page = http.get("/finetune", params={"limit": 1}).json()
        seen = [page["jobs"][0]["job_id"]]
        if page["next_cursor"]:
            page = http.get("/finetune", params={"cursor": page["next_cursor"]}).json()
            seen += [job["job_id"] for job in page["jobs"]]
        assert sorted(seen) == sorted(jobs[tenant])
        assert page["next_cursor"] is None
    foreign = jobs["acme"][0]
    for http in (beta, operator):
        for answer in (
            http.get(f"/finetune/{foreign}"),
            http.get(f"/finetune/{foreign}/events"),
            http.delete(f"/finetune/{foreign}"),
        ):
            assert answer.status_code == 404
    assert acme.get(f"/finetune/{foreign}").status_code == 200


def test_tenants_know_nothing_of_each_others_diarizations(
    shared: Shared, acme: httpx.Client, beta: httpx.Client, operator: httpx.Client
) -> None:
    form = {"data": {"background": "true"}, "files": {"audio": ("a.wav", b"RIFF damaged")}}
    started = acme.post("/diarize", **form)
    if shared.settings.redis_url:
        assert (started.status_code, started.json()["code"]) == (409, "conflict")
        return
    job_id = started.json()["job_id"]
    lost = f"0000-{job_id}"  # as of a process that has ended
    for http, ids in ((acme, (lost,)), (beta, (job_id, lost)), (operator, (job_id, lost))):
        for unseen in ids:
            answers = [
                http.get(f"/diarize/{unseen}"),
                http.get(f"/diarize/{unseen}/events"),
                http.delete(f"/diarize/{unseen}"),
                http.post("/speakers", data={"from_job": unseen, "label": "unknown 1"}),
            ]
            assert [answer.status_code for answer in answers] == [404] * 4
            said = "has restarted" if unseen == lost else "are forgotten after"
            assert all(said in answer.json()["detail"] for answer in answers)
    assert acme.get(f"/diarize/{job_id}").status_code == 200
    assert acme.delete(f"/diarize/{job_id}").status_code == 204


def test_tenants_know_nothing_of_each_others_erasures(
    shared: Shared, acme: httpx.Client, beta: httpx.Client, operator: httpx.Client, voices: list[Voice]
) -> None:
    assert enrol(acme, "ida", voices[0].probe, "Ida").status_code == 201
    folders = Folders(shared.settings.state_dir, shared.settings.models_dir)
    with (
        shared.client("acme", replica=1) as acme_elsewhere,
        folders.job("0123456789abcdef").submitting(),  # an erasure waits for it
    ):
        assert acme.delete("/speakers/ida").status_code == 204
        # Both replicas have looked.
        for http in (acme, acme_elsewhere):
            wait_for(lambda http=http: http.get("/erasures").json()["left"] != [])
            answer = http.get("/erasures").json()
            named = [erasure["speaker_id"] for erasure in answer["erasures"] if erasure["speaker_id"]]
            assert named == ["ida"]  # without an id: single recordings that were replaced
            assert "0123456789abcdef" not in str(answer)
        for http in (beta, operator):
            assert "ida" not in http.get("/erasures").text
        with shared.services[0].client() as anybody:
            assert anybody.get("/readyz").json()["notices"] == []
            assert "speakers" not in anybody.get("/metrics").text
            assert anybody.get("/metrics", headers={"Authorization": "Bearer x"}).status_code == 200
        assert "speakers" not in beta.get("/metrics").text
        assert "twofold_queue_crops" in beta.get("/metrics").text
        assert operator.get("/readyz").json()["notices"] != []
        assert 'route="/speakers"' in operator.get("/metrics").text
        assert "twofold_gallery_speakers" in operator.get("/metrics").text
    wait_for(lambda: acme.get("/erasures").json()["left"] == [])


def test_tenants_see_their_versions_and_the_operator_alone_activates(
    acme: httpx.Client, beta: httpx.Client, operator: httpx.Client
) -> None:
    def versions(http: httpx.Client) -> set[str]:
        return {model["version"] for model in http.get("/models").json()["models"]}

    assert versions(acme) == {"1.0.0", VERSIONS["acme"]}
    assert versions(beta) == {"1.0.0", VERSIONS["beta"]}
    assert versions(operator) == {"1.0.0", *VERSIONS.values()}
    for version in ("1.0.0", VERSIONS["acme"], VERSIONS["beta"], "none"):
        answer = acme.post(f"/models/{version}/activate")
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    start = acme.post("/finetune", data={"activate": "if_better", "speaker_ids": "zed"})
    assert (start.status_code, start.json()["code"]) == (403, "forbidden")


def test_ids_and_versions_name_their_tenant_and_nothing_else_does() -> None:
    acme = Tenant("acme")
    stored = acme.stored("ann")
    assert stored is not None
    assert (owner(stored), shown(stored)) == ("acme", "ann")
    assert (owner("ann"), shown("ann"), OPERATOR.stored("ann")) == ("", "ann", "ann")
    for tenant in (acme, OPERATOR):
        assert tenant.stored("~acme/ann") is None
        assert tenant.stored("a/b") is None
    # Neither a name that begins the same, nor the operator's ids, are in a tenant's range.
    first, end = acme.ids
    inside = [
        s for s in ("ann", "z", "~acme/a", "~acme/z@", "~acme-2/a", "~acm/a", "~b/a") if first < s < end
    ]
    assert inside == ["~acme/a", "~acme/z@"]
    assert [s for s in ("A", "z@z", "~acme/a") if OPERATOR.ids.first < s < OPERATOR.ids.end] == ["A", "z@z"]
    assert version_owner("ft-20261121-083015-7f3a52") == ""
    assert version_owner("ft-20261121-083015-7f3a52-a-b") == "a-b"
    assert not acme.sees_version("ft-20261121-083015-7f3a52")


@pytest.mark.parametrize("name", ["Acme", "a/b", "~a", "a b", "-a", "a" * 33, "é"])
def test_a_tenants_name_is_checked(name: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["keys", "new", "--file", str(tmp_path / "keys"), "--tenant", name])
    assert result.exit_code == 2
    assert not (tmp_path / "keys").exists()
