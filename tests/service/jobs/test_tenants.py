"""Two tenants, two replicas on one Redis and a worker: voices, versions and erasures are the tenant's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from service.cli import app
from tests.conftest import StartRedis
from tests.service.conftest import StartService
from tests.service.jobs.conftest import House, wait_for


def test_a_version_of_a_tenants_voices_is_the_tenants(
    start_redis: StartRedis,
    open_house: Callable[..., House],
    start_service: StartService,
    trainable_models: Path,
    recordings: list[bytes],
    tmp_path: Path,
) -> None:
    file = tmp_path / "keys"
    tenants = ("acme", "beta", "")
    keys = {
        tenant: CliRunner()
        .invoke(app, ["keys", "new", "--tenant", tenant, "--file", str(file)])
        .stdout.strip()
        for tenant in tenants
    }
    redis = start_redis("--appendonly", "yes", "--save", "", "--rdbcompression", "no")
    shared = {"redis_url": redis.url, "keys_file": file, "audio_key": Fernet.generate_key().decode()}
    house = open_house(**shared)
    second = start_service(trainable_models, state_dir=house.folders.state_dir, **shared)

    def client(url: str, tenant: str) -> httpx.Client:
        return httpx.Client(base_url=url, timeout=60, headers={"Authorization": f"Bearer {keys[tenant]}"})

    with (
        client(house.service.url, "acme") as acme,
        client(second.url, "acme") as acme_there,
        client(second.url, "beta") as beta,
        client(house.service.url, "beta") as beta_here,
        client(second.url, "") as operator,
    ):
        form = {"speaker_id": "ann", "retain_audio": "true"}
        files = [("audio", ("a.opus", audio)) for audio in recordings]
        assert acme.post("/speakers", data=form, files=files).status_code == 201
        assert beta.post("/speakers", data={"speaker_id": "ben"}, files=files[1:]).status_code == 201
        for speaker_id in ("ann", "~acme/ann"):  # another's voice is nobody's
            answer = beta.post("/finetune", data={"speaker_ids": speaker_id})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        worker = house.start_worker()
        job_id = acme.post("/finetune", data={"speaker_ids": "ann", "steps": "2"}).json()["job_id"]
        job = wait_for(
            lambda: acme_there.get(f"/finetune/{job_id}").json(), lambda job: job["finished_at"] is not None
        )
        worker.stop()
        assert job["state"] == "succeeded", job
        assert job["version"].endswith("-acme")
        assert "~acme" not in str(job)
        assert beta.get(f"/finetune/{job_id}").status_code == 404

        def versions(http: httpx.Client) -> set[str]:
            return {model["version"] for model in http.get("/models").json()["models"]}

        assert (versions(acme), versions(beta)) == ({"1.0.0", job["version"]}, {"1.0.0"})

        def holding(*traces: bytes) -> list[Path]:
            """The files of Redis and of the state folder that hold any of these."""
            folders = (redis.folder, house.folders.state_dir)
            files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
            return [file for file in files if any(trace in file.read_bytes() for trace in traces)]

        def candidates(http: httpx.Client) -> list[str]:
            answer = http.post("/identify", files=files[:1])
            return [c["speaker_id"] for c in answer.json().get("candidates", [])]

        for http, speaker_id in ((acme, "ann"), (acme_there, "ann"), (beta, "ben"), (beta_here, "ben")):
            wait_for(lambda http=http: candidates(http), lambda ids, i=speaker_id: ids == [i])
        # Erased at one replica while a job waits for a worker: gone at both, and the other tenant stays.
        job_id = acme.post("/finetune", data={"speaker_ids": "ann"}, files=files).json()["job_id"]
        assert len(list(house.folders.job(job_id).audio.iterdir())) == 4
        assert holding(recordings[0][2000:2064], recordings[1][2000:2064]) == []  # encrypted
        assert acme_there.delete("/speakers/ben").status_code == 404
        assert acme_there.delete("/speakers/ann").status_code == 204
        for http, ids in ((acme, []), (acme_there, []), (beta, ["ben"]), (beta_here, ["ben"])):
            wait_for(lambda http=http: candidates(http), lambda seen, ids=ids: seen == ids)
        assert acme.get(f"/finetune/{job_id}").json()["state"] == "canceled"
        wait_for(lambda: acme.get("/erasures").json(), lambda left: left == {"erasures": [], "left": []})
        assert not house.folders.job(job_id).path.exists()
        assert holding(b"acme/ann") == []

        assert operator.post(f"/models/{job['version']}/activate").status_code == 200
        assert job["version"] in versions(beta)  # it serves all, and every answer names it
    second.stop()
