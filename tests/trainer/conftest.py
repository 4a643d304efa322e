from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

from bundle.arrays import Float64
from trainer.audio.cache import ClipCache, build_cache
from trainer.audio.folders import read_folder

BANDS = 8


def _write_onnx(path: Path, *, embedding: bool) -> None:
    """A frame-wise linear encoder: `frames` (batch, 64, 8), and mean and standard deviation over time."""
    frame, bands = np.arange(256)[:, None], np.geomspace(4, 100, BANDS)[None, :]
    weights = np.cos(2 * np.pi * frame * bands / 256).astype(
        np.float32
    )  # a cosine a band: energy by frequency
    constants = {
        "shape": np.array([-1, 64, 256], np.int64),
        "weights": weights,
        "time": np.array([1], np.int64),
        "tiny": np.float32(1e-12),
    }
    nodes = [
        helper.make_node("Reshape", ["waveform", "shape"], ["framed"]),
        helper.make_node("MatMul", ["framed", "weights"], ["projected"]),
        helper.make_node("Abs", ["projected"], ["frames"]),
    ]
    outputs = [helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["batch", 64, BANDS])]
    if embedding:
        nodes += [
            helper.make_node("ReduceMean", ["frames", "time"], ["mean"], keepdims=0),
            helper.make_node("ReduceL2", ["frames", "time"], ["energy"], keepdims=0),
            helper.make_node("Concat", ["mean", "energy"], ["pooled"], axis=1),
            helper.make_node("ReduceL2", ["pooled", "time"], ["norm"], keepdims=1),
            helper.make_node("Add", ["norm", "tiny"], ["safe"]),
            helper.make_node("Div", ["pooled", "safe"], ["embedding"]),
        ]
        outputs.insert(0, helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["batch", 2 * BANDS]))
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info("waveform", TensorProto.FLOAT, ["batch", 16384])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


@pytest.fixture
def tiny_bundle(tmp_path: Path) -> Path:
    """A bundle folder whose encoders are a few cosines: enough to tell tones apart."""
    folder = tmp_path / "tiny" / "0.0.1"
    folder.mkdir(parents=True)
    files = {}
    for name in ("voice", "content"):
        path = folder / f"{name}.onnx"
        _write_onnx(path, embedding=name == "voice")
        content = path.read_bytes()
        files[name] = {
            "path": path.name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }
    manifest = {
        "format": 1,
        "name": "tiny",
        "version": "0.0.1",
        "kind": "autodecompose",
        "parent": None,
        "created_at": "2026-01-01T00:00:00Z",
        "sample_rate_hz": 16000,
        "crop_samples": 16384,
        "frame_s": 0.016,
        "embedding_dim": 2 * BANDS,
        "content_dim": BANDS,
        "files": files,
        "scoring": {
            "score_type": "centred_cosine",
            "mean": [0.2] * 2 * BANDS,
            "calibration": {"slope": 10.0, "intercept": -5.0},
            "false_accept": [{"fpr": 0.1, "threshold": 0.5}, {"fpr": 0.01, "threshold": 0.7}],
            "fitted_on": "tones",
        },
        "metrics": {},
        "training": {},
    }
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def write_tone() -> Callable[[Path, float, float, int], None]:
    """Writes a noisy tone: (path, frequency in Hz, seconds, seed)."""

    def write(path: Path, frequency_hz: float, seconds: float, seed: int) -> None:
        rng = np.random.default_rng(seed)
        time_s: Float64 = np.arange(round(seconds * 16_000)) / 16_000
        samples = 0.3 * np.sin(2 * np.pi * frequency_hz * time_s + rng.uniform(0, 6))
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, samples + 0.02 * rng.normal(size=samples.size), 16_000)

    return write


VOICES_HZ = (150.0, 260.0, 410.0, 630.0)


@pytest.fixture
def tones(tmp_path: Path, write_tone: Callable[[Path, float, float, int], None]) -> Path:
    """A folder of four "speakers", a pitch each, three recordings of 2.5 s."""
    folder = tmp_path / "tones"
    for voice, hz in enumerate(VOICES_HZ):
        for take in range(3):
            write_tone(
                folder / f"voice{voice}" / f"{take}.wav", hz * (1 + 0.02 * take), 2.5, 10 * voice + take
            )
    return folder


@pytest.fixture
def tone_cache(tones: Path, tmp_path: Path) -> ClipCache:
    return build_cache(read_folder(tones), tmp_path / "cache", warn=pytest.fail)


@pytest.fixture(scope="session")
def small_corpora(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora made small: three speakers a split, three clips of a label, a few words."""
    folder = tmp_path_factory.mktemp("corpora")
    columns = ("gender", "age", "word", "emotion")
    for corpus in ("speechocean762", "arabic_speech_commands", "nemo"):
        clips = read_folder(corpora / corpus)
        chosen = set()
        for split in ("train", "test"):
            names = sorted({clip.speaker for clip in clips if clip.split == split})
            chosen |= {names[0], names[len(names) // 2], names[-1]} if names else set()
        seen: Counter[tuple[str, ...]] = Counter()
        rows = ["\t".join(("path", "speaker", "split", *columns))]
        for clip in clips:
            labels = [clip.labels.get(column, "") for column in columns]
            seen[clip.speaker, *labels] += 1
            if clip.speaker in chosen and seen[clip.speaker, *labels] <= 3 and labels[2] <= "close":
                rows.append("\t".join([str(clip.path), clip.speaker, clip.split, *labels]))
        (folder / corpus).mkdir()
        (folder / corpus / "metadata.tsv").write_text("\n".join(rows) + "\n")
    return folder
