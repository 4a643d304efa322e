"""C10: a disk that is full. What only reads goes on, and what cannot be stored says why."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from benchmarks.redis_server import RedisServer
from bundle.voice import VoiceBundle
from service.errors import DiskFull
from service.inference import ActiveModelFile
from service.jobs import Folders
from service.replicas import RedisActiveModel
from service.settings import Settings
from service.speakers import RedisGallery, SqliteGallery
from tests.service.in_process import serving
from tests.service.jobs.conftest import wait_for
from tests.service.test_erasure import SPEAKER, enrol

#: Writes nothing, and says that no space is left.
FULL = "/dev/full"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this test may not mount a small disk: run it as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Nothing more fits on the disk until the block ends."""
    file = folder / "ballast"
    with suppress(OSError), file.open("ab", buffering=0) as out:
        while True:
            out.write(bytes(4096))
    yield
    file.unlink()


def refused(answer: httpx.Response) -> bool:
    return (answer.status_code, answer.json()["code"]) == (503, "disk_full") and "Disk full" in answer.text


def refuses(write: Callable[[], object]) -> bool:
    try:
        write()
    except DiskFull as error:
        return "Redis" in error.detail
    return False


def answered(status: int) -> bool:
    return status == 200


def identifies(http: httpx.Client, audio: bytes) -> bool:
    answer = http.post("/identify", files={"audio": ("a.opus", audio)})
    return answer.status_code == 200 and answer.json()["match"]["speaker_id"] == "ann"


def enrols(http: httpx.Client, speaker_id: str, audio: bytes) -> httpx.Response:
    form = {"speaker_id": speaker_id, "retain_audio": "true"}
    return http.post("/speakers", files={"audio": ("a.opus", audio)}, data=form)


def test_c10_a_service_on_a_full_disk(small_disk: Path, tiny_models: Path, speech: bytes) -> None:
    settings = Settings(models_dir=tiny_models, state_dir=small_disk / "state")
    numbers = itertools.count()

    def fill(http: httpx.Client) -> None:
        # The first ones may fit into the log, which was made already.
        answer = wait_for(
            lambda: enrols(http, f"s{next(numbers)}", speech), lambda answer: answer.status_code != 201
        )
        assert refused(answer)

    with serving(settings) as http:
        assert enrols(http, "ann", speech).status_code == 201
        with filled(small_disk):
            fill(http)
            assert refused(http.post("/finetune", files={"audio": ("a.opus", speech)}))
            assert refused(http.post("/models/0.1.0/activate"))
            assert refused(http.get("/readyz"))
            assert identifies(http, speech)
        assert http.get("/readyz").status_code == 200
        assert http.get("/models").json()["active"] == "0.2.0"
        assert http.get("/finetune").json()["jobs"] == []
        assert enrols(http, "bob", speech).status_code == 201
        stored = http.get("/speakers").json()["total"]

    with filled(small_disk), serving(settings, ready=False) as http:
        wait_for(lambda: http.post("/identify", files={"audio": ("a.opus", speech)}).status_code, answered)
        assert identifies(http, speech)
        assert http.get("/speakers").json()["total"] == stored
        assert refused(http.get("/readyz"))
        assert refused(http.delete("/speakers/bob"))
        (small_disk / "ballast").write_bytes(b"")
        wait_for(lambda: http.get("/readyz").status_code, answered)
        assert http.delete("/speakers/bob").status_code == 204


def test_c10_what_was_in_the_log_is_read_on_a_full_disk(small_disk: Path) -> None:
    """As after a kill: the log is there, its index is not."""
    path, killed = small_disk / "s" / "speakers.sqlite", small_disk / "speakers.sqlite"
    with closing(SqliteGallery(path)) as gallery:
        enrol(gallery)
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{killed}{suffix}")
    with filled(small_disk):
        with closing(SqliteGallery(killed)) as gallery:
            assert gallery.get(SPEAKER).speaker_id == SPEAKER
            with pytest.raises(DiskFull):
                gallery.delete(SPEAKER)
            assert gallery.count() == 1
            (small_disk / "ballast").write_bytes(b"")
            gallery.delete(SPEAKER)
        with closing(SqliteGallery(killed)) as gallery:
            assert gallery.count() == 0


def test_c10_a_redis_on_a_full_disk(small_disk: Path, tiny_models: Path) -> None:
    binary = shutil.which("redis-server")
    if binary is None:
        pytest.skip("redis-server is not installed")
    redis = RedisServer(Path(binary), small_disk, ("--appendonly", "yes", "--save", ""))
    redis.start()
    bundle = VoiceBundle.load(tiny_models / "autodecompose" / "0.1.0")
    with closing(RedisGallery(redis.url)) as gallery, closing(RedisActiveModel(redis.url)) as chosen:
        gallery.check()
        with filled(small_disk):
            # The first ones stay in its memory for up to a second.
            wait_for(lambda: refuses(lambda: chosen.write(bundle)), bool)
            with pytest.raises(DiskFull, match="Redis"):
                gallery.check()
            assert gallery.count() == 0
    redis.stop()


def test_c10_the_choice_of_the_model_and_recordings_say_so_too(tmp_path: Path, tiny_models: Path) -> None:
    (tmp_path / "active_model.tmp").symlink_to(FULL)
    chosen = ActiveModelFile(tmp_path / "active_model.json")
    with pytest.raises(DiskFull):
        chosen.write(VoiceBundle.load(tiny_models / "autodecompose" / "0.1.0"))
    assert chosen.read() is None
    folder = Folders(tmp_path, tiny_models).job("j")
    folder.audio.mkdir(parents=True)
    (folder.audio / "000.audio").symlink_to(FULL)
    with pytest.raises(DiskFull):
        folder.write_audio({"000.audio": b"audio"})
    assert not folder.path.exists()
