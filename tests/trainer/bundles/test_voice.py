from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from trainer.audio.folders import contiguous_crops, read_audio, read_folder
from trainer.autodecompose.graphs import ContentGraph, DecoderGraph, VoiceGraph
from trainer.autodecompose.networks import ENCODERS
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.write import ExportError, Graph, check_onnx, write_bundle, write_onnx
from trainer.scoring.whitening import Whitening
from trainer.training.settings import override


@pytest.fixture(scope="module")
def crops(speech_data: Path) -> Tensor:
    clip = read_folder(speech_data / "librispeech", "test")[0]
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
