"""The network of a parent in torch, for the steps of a fine-tuning: trained on, embedded with, written."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from safetensors import SafetensorError

from bundle.arrays import Float32
from bundle.manifest import BundleError
from bundle.space_map import read_adaptation
from bundle.voice import VoiceBundle
from trainer.audio.cache import ClipCache
from trainer.autodecompose.bundle import KIND, bundle_graphs
from trainer.autodecompose.graphs import VoiceGraph
from trainer.autodecompose.networks import pool
from trainer.autodecompose.objective import Objective
from trainer.autodecompose.settings import TrainSettings
from trainer.bundles.files import WriteFile
from trainer.bundles.update import update_onnx
from trainer.bundles.voice import CHECKED_CROPS, WEIGHTS, save_weights
from trainer.bundles.write import ExportError, Graph, check_onnx, write_onnx
from trainer.finetuning.errors import FinetuneError
from trainer.scoring.whitening import Whitening
from trainer.training.batches import PairSampler
from trainer.training.checkpoint import load_checkpoint, read_settings

PAIRS = 64  # of crops, for the losses


@dataclass(frozen=True)
class Network:
    """A model in torch, and what makes embeddings of its voices."""

    bundle: VoiceBundle  # its own, or its parent's
    objective: Objective  # in evaluation mode
    whitening: Whitening  # what its graph ends in, and its adaptation
    graph_whitening: Whitening  # what its ONNX graph ends in

    @classmethod
    def load(cls, bundle: VoiceBundle) -> Network:
        """The network of a bundle. Its adaptation is taken into the whitening.

        Raises:
            FinetuneError: the bundle is damaged, of another kind, or has no trainable weights.
        """
        if bundle.kind != KIND or "weights" not in bundle.files:
            raise FinetuneError(
                f"The network of {bundle.id} cannot be trained further: only bundles of kind {KIND} with "
                f"{WEIGHTS} can. With 0 steps it is adapted as it is."
            )
        try:
            objective = Objective(TrainSettings.from_json(read_settings(bundle.path / WEIGHTS)))
            load_checkpoint(bundle.path / WEIGHTS, {"objective": objective})
            adaptation = read_adaptation(bundle)
        except (BundleError, OSError, SafetensorError) as error:
            raise FinetuneError(f"The parent cannot be fine-tuned: {error}") from error
        graph_whitening = whitening = _whitening(bundle.file("voice"))
        if adaptation is not None:
            whitening = replace(whitening, matrix=whitening.matrix @ adaptation)
        return cls(bundle, objective.eval(), whitening, graph_whitening)

    def copy(self) -> Network:
        """A copy whose weights can be trained."""
        return replace(self, objective=copy.deepcopy(self.objective))

    def embed(self, crops: Float32) -> Float32:
        """Unit embeddings: (crops, 16384) → (crops, dim)."""
        with torch.no_grad():
            frontend, model = self.objective.frontend, self.objective.model
            return self.whitening(pool(model.E_s(frontend(torch.from_numpy(crops)))).numpy())

    def losses(self, speech: ClipCache, same_voice_seconds: float) -> dict[str, float]:
        """Losses on random pairs of crops, with the same draws for every model."""
        sampler = PairSampler(speech, None, PAIRS, seed=1, same_voice_seconds=same_voice_seconds)
        with torch.no_grad():
            losses = self.objective.eval()(sampler.at(0), torch.Generator().manual_seed(1))
        return {name: float(value) for name, value in losses.items()}

    def files(self, parent: Network, speech: ClipCache) -> Mapping[str, WriteFile]:
        """What writes the graphs, each checked on crops of `speech`, and the weights.

        Only the constants of the parent's graphs change, where that can be: an export takes seconds.
        """
        crops = np.stack([speech.crop(i % len(speech), 0) for i in range(CHECKED_CROPS)])
        before = {graph.name: graph.module for graph in parent.graphs(crops, parent.graph_whitening)}

        def write(graph: Graph, path: Path) -> None:
            try:
                update_onnx(parent.bundle.file(graph.name), path, before[graph.name], graph.module)
            except ExportError:  # also layers that the exporter rearranges, LSTMs for one
                write_onnx(graph, path)
            check_onnx(graph, path)

        weights = partial(save_weights, self.objective, self.objective.settings.to_json())
        graphs = self.graphs(crops, self.whitening)
        return {**{f"{graph.name}.onnx": partial(write, graph) for graph in graphs}, WEIGHTS: weights}

    def graphs(self, crops: Float32, whitening: Whitening) -> list[Graph]:
        """The graphs of its ONNX files, to be checked on crops (n, 16384) of speech."""
        return bundle_graphs(self.objective, VoiceGraph(self.objective, whitening).eval(), crops)


def _whitening(path: Path) -> Whitening:
    """Read from the exported graph: it is fitted after training, so the weights file lacks it."""
    constants = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    try:
        mean, matrix = (numpy_helper.to_array(constants[name]) for name in ("mean", "matrix"))
    except KeyError as error:
        raise FinetuneError(f"{path.name} has no whitening {error}: export the parent again.") from error
    return Whitening(mean.copy(), matrix.copy())
