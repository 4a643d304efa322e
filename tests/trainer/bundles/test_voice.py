from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bundle.arrays import Float32
from trainer.audio.acoustics import AcousticSettings
from trainer.audio.folders import contiguous_crops, read_audio, read_folder
from trainer.autodecompose.graphs import ContentGraph, DecoderGraph, VoiceGraph
from trainer.autodecompose.networks import ENCODERS
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.voice import Channels, VoiceModel, fit_voice, whitening_of
from trainer.bundles.write import ExportError, Graph, check_onnx, write_bundle, write_onnx
from trainer.scoring import embedding
from trainer.scoring.calibration import fit_scoring
from trainer.scoring.embedding import embed_clips, utterance_crops
from trainer.scoring.whitening import Whitening
from trainer.training.settings import override


@pytest.mark.parametrize("acoustics", [None, AcousticSettings()])
def test_a_fit_reads_every_file_once_and_is_that_of_three_passes(
    tones: Path, acoustics: AcousticSettings | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "CROPS_AT_ONCE", 4)
    (tones / "voice0" / "broken.wav").write_bytes(b"RIFF")
    decoded: list[Path] = []
    encoded: list[int] = []

    def counting_read(path: Path) -> Float32:
        decoded.append(path)
        return read_audio(path)

    def represent(waveform: Tensor) -> Tensor:  # loudness of eight bands: (batch, 16384) → (batch, 8)
        encoded.append(len(waveform))
        spectrum = torch.fft.rfft(waveform).abs()[:, :1024].unflatten(1, (8, 128))
        return torch.log(spectrum.mean(dim=2) + 1e-3)

    monkeypatch.setattr(embedding, "read_audio", counting_read)
    clips = read_folder(tones)
    model = VoiceModel("toy", nn.Identity(), {}, acoustics, represent, graphs=lambda *_: [])
    fit = fit_voice(model, clips)
    assert sorted(decoded) == sorted(clip.path for clip in clips)
    crops = sum(len(utterance_crops(read_audio(clip.path))) for clip in fit.clips)
    assert sum(encoded) == crops * (1 if acoustics is None else 2)

    passes = [embed_clips(clips, model.encode)]
    if acoustics is not None:
        channels = Channels(acoustics, ())
        passes.append(embed_clips(clips, lambda crops: model.encode(channels(crops))))
    whitening = whitening_of(passes)
    np.testing.assert_allclose(fit.whitening.matrix, whitening.matrix, rtol=1e-5)
    np.testing.assert_allclose(fit.whitening.mean, whitening.mean, rtol=1e-5)
    scored = embed_clips(clips, lambda crops: whitening(model.encode(crops)))
    speakers = [f"tones/{clip.speaker}" for clip in scored.clips]
    expected = fit_scoring(scored.utterances, speakers, groups=["tones"] * len(speakers))
    np.testing.assert_allclose(fit.scoring["mean"], expected["mean"], atol=1e-6)
    for key in ("slope", "intercept"):
        assert fit.scoring["calibration"][key] == pytest.approx(expected["calibration"][key], rel=1e-3)
    thresholds = [[point["threshold"] for point in each["false_accept"]] for each in (fit.scoring, expected)]
    np.testing.assert_allclose(*thresholds, atol=1e-5)
    assert "broken.wav" not in {clip.path.name for clip in fit.clips}


@pytest.fixture(scope="module")
def crops(examples: Path) -> Tensor:
    clip = read_folder(examples)[0]
    return torch.from_numpy(contiguous_crops(read_audio(clip.path))[:7])


@pytest.mark.parametrize(
    ("encoder", "frontend"),
    # very_large is the large one, only bigger
    [("fast", "paper"), *((encoder, "wide") for encoder in sorted(set(ENCODERS) - {"very_large"}))],
)
def test_onnx_equals_torch_at_batches_1_2_7_32(
    encoder: str, frontend: str, crops: Tensor, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    settings = override(TrainSettings(), {"encoder": encoder, "frontend": frontend})
    objective = Objective(settings).eval()
    voice = VoiceGraph(objective, Whitening(torch.randn(256).numpy(), torch.randn(256, 256).numpy())).eval()
    with torch.no_grad():
        embedding, frames = voice(crops)
        content = ContentGraph(objective)(crops)
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(len(crops)))
    graphs = [
        Graph("voice", voice, {"waveform": crops}, ("embedding", "frames")),
        Graph("content", ContentGraph(objective), {"waveform": crops}, ("frames",)),
        Graph(
            "decoder", DecoderGraph(objective), {"voice_frames": frames, "content_frames": content}, ("mel",)
        ),
    ]
    for graph in graphs:
        path = tmp_path / f"{graph.name}.onnx"
        write_onnx(graph, path)
        check_onnx(graph, path)  # at 1, 2, 7 and 32, within 1e-4
        assert b".py" not in path.read_bytes()  # no paths of the machine it was made on


def test_a_file_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    x = torch.rand(2, 8)
    write_onnx(Graph("a", nn.Linear(8, 3), {"x": x}, ("y",)), tmp_path / "a.onnx")
    with pytest.raises(ExportError, match="differs"):
        check_onnx(Graph("a", nn.Linear(8, 3), {"x": x}, ("y",)), tmp_path / "a.onnx")


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    class Restless(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x + (0.0 if torch.compiler.is_exporting() else 1.0)

    folder = tmp_path / "models" / "name" / "1"
    good = Graph("good", nn.Linear(8, 3), {"x": torch.rand(2, 8)}, ("y",))
    bad = Graph("bad", Restless(), {"x": torch.rand(2, 8)}, ("y",))
    with pytest.raises(ExportError):
        write_bundle(folder, {}, [good, bad])
    assert list(folder.parent.iterdir()) == []
    write_bundle(folder, {}, [good])
    assert sorted(path.name for path in folder.iterdir()) == ["bundle.json", "good.onnx"]
    with pytest.raises(FileExistsError):
        write_bundle(folder, {}, [good])
