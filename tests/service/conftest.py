"""A small real bundle, and a real service in a process of its own on a free port."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.made_once import made_once

EMBEDDING_DIM, CONTENT_DIM, CROP, HOP = 8, 4, 16384, 256
# What the tiny models say of their scores, whatever they are worth.
CALIBRATION = {"slope": 10.0, "intercept": -5.0}
FALSE_ACCEPT = [{"fpr": 0.1, "threshold": 0.3}, {"fpr": 0.01, "threshold": 0.6}]
SHIPPED = ("autodecompose", "barlow_twins")  # folders of models/ that have to recognise people
START_LIMIT_S = 60.0
BANNER_LINES = 2

WriteBundle = Callable[..., Path]


def _onnx(output: str, width: int, seed: int, *, pooled: bool, roll: int = 0) -> bytes:
    """waveform (batch, 16384) → 64 frames → a random projection of |spectrum-free| samples, pooled or not."""
    weights = np.random.default_rng(seed).normal(size=(HOP, width)).astype(np.float32)
    weights = np.roll(weights, roll, axis=1)
    constants = [
        numpy_helper.from_array(weights, "weights"),
        numpy_helper.from_array(np.array([-1, CROP // HOP, HOP], np.int64), "shape"),
    ]
    nodes = [
        helper.make_node("Abs", ["waveform"], ["magnitude"]),
        helper.make_node("Reshape", ["magnitude", "shape"], ["framed"]),
        helper.make_node("MatMul", ["framed", "weights"], ["projected" if pooled else output]),
    ]
    shape: list[str | int] = ["batch", CROP // HOP, width]
    if pooled:
        constants.append(numpy_helper.from_array(np.array([1e-9], np.float32), "floor"))
        shape = ["batch", width]
        nodes += [
            helper.make_node("ReduceMean", ["projected"], ["mean"], axes=[1], keepdims=0),
            helper.make_node("ReduceL2", ["mean"], ["norm"], axes=[1], keepdims=1),
            helper.make_node("Max", ["norm", "floor"], ["length"]),
            helper.make_node("Div", ["mean", "length"], [output]),
        ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", CROP])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="session")
def write_bundle() -> WriteBundle:
    """`write_bundle(models_dir, version, seed=0, day=1)` writes a complete bundle and returns its folder.

    `parent` is a version of the same seed: the bundle then has its outputs in another order, and a map.
    Another `name` than autodecompose is a kind of its own, without content.
    """

    def write(
        models_dir: Path,
        version: str,
        *,
        seed: int = 0,
        day: int = 1,
        parent: str | None = None,
        name: str = "autodecompose",
    ) -> Path:
        folder = models_dir / name / version
        folder.mkdir(parents=True)
        graphs = {"voice": _onnx("embedding", EMBEDDING_DIM, seed, pooled=True, roll=1 if parent else 0)}
        if name == "autodecompose":
            graphs["content"] = _onnx("frames", CONTENT_DIM, seed, pooled=False)
        contents = {f"{name}.onnx": data for name, data in graphs.items()}
        if parent:
            buffer = io.BytesIO()
            np.save(buffer, np.roll(np.eye(EMBEDDING_DIM + 1, EMBEDDING_DIM, dtype=np.float32), 1, axis=1))
            contents["map_from_parent.npy"] = buffer.getvalue()
        files = {}
        for path, data in contents.items():
            (folder / path).write_bytes(data)
            files[Path(path).stem] = {
                "path": path,
                "sha256": hashlib.sha256(data).hexdigest(),
                "bytes": len(data),
            }
        manifest = {
            "format": 1,
            "name": name,
            "version": version,
            "kind": name,
            "parent": parent,
            "map_from_parent": parent
            and {
                "parent": f"autodecompose/{parent}",
                "file": "map_from_parent",
                "error": 0.125,
                "inverse_error": 0.0625,
            },
            "created_at": f"2026-01-{day:02d}T00:00:00Z",
            "sample_rate_hz": 16000,
            "crop_samples": CROP,
            "embedding_dim": EMBEDDING_DIM,
            **({"frame_s": 0.016, "content_dim": CONTENT_DIM} if "content" in graphs else {}),
            "files": files,
            "scoring": {
                "score_type": "centred_cosine",
                "mean": [0.0] * EMBEDDING_DIM,
                "calibration": CALIBRATION,
                "false_accept": FALSE_ACCEPT,
                "fitted_on": "nothing: random weights",
            },
            "metrics": {"eer": 50.0},
            "training": {},
        }
        (folder / "bundle.json").write_text(json.dumps(manifest))
        return folder

    return write


@dataclass
class RunningService:
    """A service in a process of its own."""

    url: str
    process: subprocess.Popen[bytes]
    state_dir: Path
    log_file: Path
    banner: str

    def client(self) -> httpx.Client:
        """A client whose connections are its own."""
        return httpx.Client(base_url=self.url, timeout=60.0)

    def wait_ready(self) -> None:
        """Waits until /readyz says 200."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if httpx.get(f"{self.url}/readyz").status_code == 200:
                return
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log_file.read_text()}")

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(START_LIMIT_S)


StartService = Callable[..., RunningService]


def _banner(process: subprocess.Popen[bytes], output: Path) -> str:
    """What the process says once it listens; what it said so far when it ends or takes too long."""
    deadline = time.monotonic() + START_LIMIT_S
    while process.poll() is None and time.monotonic() < deadline:
        if output.read_text().count("\n") >= BANNER_LINES:
            break
        time.sleep(0.02)
    return output.read_text()


@contextmanager
def _services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartService]:
    with ExitStack() as stack:

        def start(models_dir: Path, *options: str, ready: bool = True, **settings: object) -> RunningService:
            folder = tmp_path_factory.mktemp("service")
            clean = {key: value for key, value in os.environ.items() if not key.startswith("TWOFOLD_")}
            given = {"models_dir": models_dir, "state_dir": folder / "state"} | settings
            environment = clean | {f"TWOFOLD_{name.upper()}": str(value) for name, value in given.items()}
            log_file, output = folder / "log.jsonl", folder / "output.txt"
            with log_file.open("w") as log, output.open("w") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "service", "serve", "--port", "0", *options],
                    env=environment,
                    stdout=out,
                    stderr=log,
                )
            banner = _banner(process, output)
            address = re.search(r"http://[\d.]+:\d+", banner)
            if not address:
                process.kill()
                raise AssertionError(f"the service did not start: {log_file.read_text()}")
            url = address.group()
            running = RunningService(url, process, Path(str(given["state_dir"])), log_file, banner)
            stack.callback(running.stop)
            if ready:
                running.wait_ready()
            return running

        yield start


@pytest.fixture(scope="module")
def start_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartService]:
    """`start_service(models_dir, *options, ready=True, **settings)`; all are stopped with the module.

    Idle ones would take time of every test after it.
    """
    with _services(tmp_path_factory) as start:
        yield start


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory, write_bundle: WriteBundle) -> Path:
    """A models folder with versions 0.1.0 and the newer 0.2.0, of other weights."""
    folder = tmp_path_factory.mktemp("models")
    write_bundle(folder, "0.1.0", seed=1, day=1)
    write_bundle(folder, "0.2.0", seed=2, day=2)
    return folder


@pytest.fixture(scope="session")
def tiny_barlow_twins(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trainer's bundle of a random Barlow Twins, barlow_twins/0.1.0; only its thresholds are made up."""
    torch = pytest.importorskip("torch")
    from trainer.audio.folders import read_folder
    from trainer.barlow_twins.bundle import barlow_twins_voice
    from trainer.barlow_twins.objective import BarlowTwins
    from trainer.barlow_twins.settings import BarlowTwinsSettings
    from trainer.bundles.voice import export_voice_bundle

    settings = BarlowTwinsSettings(width=1, projector_width=8, latent=8)

    def make(models: Path) -> None:
        torch.manual_seed(9)  # many seeds make a network that says the same of every crop
        voice, folder = barlow_twins_voice(BarlowTwins(settings)), models / "barlow_twins" / "0.1.0"
        export_voice_bundle(voice, read_folder(examples), folder, training={})
        card = folder / "bundle.json"
        manifest = json.loads(card.read_text())
        manifest["scoring"] |= {"calibration": CALIBRATION, "false_accept": FALSE_ACCEPT}
        card.write_text(json.dumps(manifest))

    return made_once(tmp_path_factory, "tiny_barlow_twins", make) / "barlow_twins" / "0.1.0"


@dataclass(frozen=True)
class TinyModel:
    """What TWOFOLD_MODELS_DIR is set to, and the model that then serves."""

    path: Path
    id: str


@pytest.fixture(scope="session", params=["autodecompose", "barlow_twins"])
def tiny_model(request: pytest.FixtureRequest) -> TinyModel:
    """One of each kind, for what has to be the same with both; embeddings are 8 wide."""
    if request.param == "autodecompose":
        return TinyModel(request.getfixturevalue("tiny_models"), "autodecompose/0.2.0")
    return TinyModel(request.getfixturevalue("tiny_barlow_twins"), "barlow_twins/0.1.0")


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[RunningService]:
    """One service for all tests that leave it as it was."""
    with _services(tmp_path_factory) as start:
        yield start(tiny_models)


@pytest.fixture
def http(service: RunningService) -> Iterator[httpx.Client]:
    """A client of the shared service."""
    with service.client() as client:
        yield client


@pytest.fixture(scope="session")
def speech(examples: Path) -> bytes:
    """A recording of somebody reading, more than 5 s, Ogg Opus."""
    return max((examples / "audio").glob("*/*.opus"), key=lambda path: path.stat().st_size).read_bytes()


def newest_shipped(name: str) -> Path:
    """The newest bundle of this name in TWOFOLD_MODELS_DIR, else in the repository."""
    models = Path(os.environ.get("TWOFOLD_MODELS_DIR", Path(__file__).parents[2] / "models"))
    manifests = sorted(models.glob(f"{name}/*/bundle.json"))
    if not manifests:
        pytest.skip(f"no {name} bundle in {models}")
    return manifests[-1].parent


@pytest.fixture(scope="session", params=SHIPPED)
def shipped_bundle(request: pytest.FixtureRequest) -> Path:
    """Each model that is shipped, in its newest version."""
    return newest_shipped(request.param)


@dataclass(frozen=True)
class Voice:
    """Real recordings of one person."""

    enrol: tuple[bytes, ...]  # about 10 s, in several files
    probe: bytes  # another one, long
    short: bytes  # another one, 2 to 4 s


@pytest.fixture(scope="session")
def voices(examples: Path) -> list[Voice]:
    """The ten test speakers of LibriSpeech where TWOFOLD_DATA is set, else the six of examples/."""
    data = os.environ.get("TWOFOLD_DATA")
    corpus = Path(data) / "librispeech" if data else examples
    clips: dict[str, list[tuple[float, Path]]] = {}
    with (corpus / "metadata.tsv").open() as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["split"] == "test":
                clips.setdefault(row["speaker"], []).append((float(row["seconds"]), corpus / row["path"]))
    people = []
    for own in clips.values():
        # Longest first: one to probe, then as many as make 10 s to enrol.
        (_, probe), *others, (_, short) = sorted(own, reverse=True)
        enrol, total_s = [], 0.0
        for seconds, path in others:
            if total_s < 10:
                enrol.append(path.read_bytes())
                total_s += seconds
        people.append(Voice(tuple(enrol), probe.read_bytes(), short.read_bytes()))
    return people
