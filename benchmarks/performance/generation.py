"""How fast labels become audio in process: network, phase retrieval, and the whole way to a WAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.performance.table import Measurement
from bundle.folders import bundle_folders, read_bundle
from bundle.generator import GeneratorBundle
from bundle.manifest import BundleError
from service.audio import encode_wav
from service.generation import Generator, SpectrogramInverse
from service.inference import OnnxSession
from service.inference.cpu import available_cpus
from service.metrics import Metrics

CLIP_S = 1.0
_CLIPS = 40


def generation_speed(folder: Path | None) -> Iterator[Measurement]:
    """Rows of each stage and of the whole, or one that says why there are none."""
    if folder is None:
        yield Measurement("generation", note="skipped: there is no bundle of kind gaae under models/")
        return
    bundle = GeneratorBundle.load(folder)
    cores = int(available_cpus())
    generator = Generator(bundle, threads=cores, observer=Metrics())  # loads, compiles, warms up
    network = OnnxSession(bundle, "generator", cores)
    inverse = SpectrogramInverse(bundle.spectrogram.scale)
    rng = np.random.default_rng(0)
    z = rng.normal(bundle.prior.mean, bundle.prior.std, (_CLIPS, 1, bundle.latent_dim)).astype(np.float32)
    labels = np.arange(_CLIPS, dtype=np.int64)[:, None] % len(bundle.labels)
    spectrograms = [
        network.run("spectrogram", z=z_clip, label=label)[0] for z_clip, label in zip(z, labels, strict=True)
    ]
    logs = [inverse.log_magnitude(spectrogram) for spectrogram in spectrograms]
    stages: dict[str, Callable[[int], object]] = {
        "network": lambda i: network.run("spectrogram", z=z[i], label=labels[i]),
        "PGHI": lambda i: inverse.phase(logs[i], rng),
        "whole": lambda i: encode_wav(generator.clip(bundle.labels[int(labels[i, 0])], i)),
    }
    for stage, work in stages.items():
        taken = _seconds(work)
        yield Measurement(
            f"generation, {stage}: {bundle.id}",
            cores=1 if stage == "PGHI" else cores,
            load="1 clip",
            audio_s_per_s=CLIP_S / taken,
            note=f"{1000 * taken:.1f} ms a second of audio",
            kind=f"generation, {stage}",
        )


def newest_generator(models: Path) -> Path | None:
    """The newest bundle of kind gaae in a folder of models, if there is one."""
    bundles = []
    for folder in bundle_folders(models):
        try:
            bundle = read_bundle(folder)
        except BundleError:
            continue
        if isinstance(bundle, GeneratorBundle):
            bundles.append(bundle)
    return max(bundles, key=lambda bundle: bundle.created_at).path if bundles else None


def _seconds(work: Callable[[int], object]) -> float:
    """Median over clips."""
    taken = []
    for index in range(_CLIPS):
        start = perf_counter()
        work(index)
        taken.append(perf_counter() - start)
    return median(taken)
