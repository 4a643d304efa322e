"""A copy of a bundle whose voice encoder has its convolutions in 8 bits.

Static quantisation by onnxruntime (QDQ), with weights by channel. The front-end and the last layers stay in
fp32: a logarithm of 8 bits hears nothing quiet. The convolutions are direct ones, since the transforms of
Winograd's need more than 8 bits.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

from bundle.arrays import Float32
from bundle.manifest import MANIFEST
from bundle.voice import VoiceBundle
from trainer.audio.folders import Clip, contiguous_crops, read_audio
from trainer.autodecompose.graphs import VoiceGraph
from trainer.bundles.files import link_file, write_folder
from trainer.bundles.voice import Channels
from trainer.bundles.write import Graph, write_onnx
from trainer.finetuning.network import Network
from trainer.training.material import Material

CALIBRATED_ON = 64  # train recordings, one crop as recorded and one through a channel of each


def quantise(folder: Path, out: Path, data: Path) -> None:
    """Writes `out`, a bundle folder like `folder` with another voice.onnx. Its scoring is its parent's.

    Args:
        out: `models/<name>/<version>`; must not exist.
        data: folder of the corpora of the bundle's card.

    Raises:
        BundleError, DataError, FinetuneError: the bundle or its corpora cannot be used.
        FileExistsError: `out` is there already.
    """
    bundle = VoiceBundle.load(folder)
    network = Network.load(bundle)
    material = Material.of_card(bundle.training, data)
    clips = material.speech()
    chosen = clips[:: max(len(clips) // CALIBRATED_ON, 1)][:CALIBRATED_ON]
    settings = network.objective.settings
    acoustics = settings.chain or settings.acoustics
    channels = None
    if acoustics is not None:
        channels = Channels(acoustics, material.noise_clips(), material.room_clips())
    crops = calibration_crops(chosen, channels)
    voice = VoiceGraph(network.objective, network.graph_whitening, fewer_products=False).eval()
    graph = Graph("voice", voice, {"waveform": torch.from_numpy(crops[:8])}, ("embedding", "frames"))
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest["files"]
    manifest["version"] = out.name
    others = {
        entry.path: partial(link_file, bundle.file(name))
        for name, entry in bundle.files.items()
        if name != "voice"
    }
    write_folder(out, manifest, {"voice.onnx": partial(_write, graph, crops), **others})


def calibration_crops(clips: Sequence[Clip], channels: Channels | None) -> Float32:
    """The middle crop of each clip as recorded, and through a channel if there is one: (crops, 16384)."""
    middles = []
    for clip in clips:
        crops = contiguous_crops(read_audio(clip.path))
        if len(crops):
            middles.append(crops[len(crops) // 2])
    recorded = np.stack(middles)
    return recorded if channels is None else np.concatenate([recorded, channels(recorded)])


class _Crops(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime is untyped
    """Crops, one after the other, as the calibration wants them."""

    def __init__(self, crops: Float32) -> None:
        self._crops: Iterator[Float32] = iter(crops)

    def get_next(self) -> dict[str, Float32] | None:
        crop = next(self._crops, None)
        return None if crop is None else {"waveform": crop[None]}


def _write(graph: Graph, crops: Float32, path: Path) -> None:
    with TemporaryDirectory() as temporary:
        exact, quantised = Path(temporary) / "exact.onnx", Path(temporary) / "int8.onnx"
        write_onnx(graph, exact)
        quantize_static(
            exact,
            quantised,
            _Crops(crops),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
        )
        shutil.copyfile(quantised, path)
