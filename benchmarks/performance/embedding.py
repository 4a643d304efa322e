"""How fast crops become embeddings in process: ours and the peer's, on the same crops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from threadpoolctl import threadpool_limits

from benchmarks.performance.flops import flops_per_crop
from benchmarks.performance.machine import sgemm_rate
from benchmarks.performance.table import Measurement
from bundle.arrays import Float32
from trainer.bundles.runner import BundleRunner
from trainer.peers.resemblyzer import Resemblyzer

CORES = (1, 2)
BATCHES = (1, 10, 64)
CROP_S = 1.024
_SECONDS = 1.5  # of measuring, each setting
_MOST = 200  # calls, each setting


def embedding_speed(bundle_dir: Path, crops: Float32) -> Iterator[Measurement]:
    """One row a model, number of cores and batch size. `crops` holds at least the largest batch."""
    peer = Resemblyzer.load()
    flops = flops_per_crop(BundleRunner.load(bundle_dir).manifest.file("voice"))
    for cores in CORES:
        rate = sgemm_rate(cores)
        yield Measurement(f"fp32 matrix product: {rate / 1e9:.0f} GFLOP/s", cores=cores)
        ours = BundleRunner.load(bundle_dir, threads=cores)
        for batch in BATCHES:
            taken = _seconds_a_call(ours.embed, crops[:batch])
            yield Measurement(
                f"{ours.id} ({flops / 1e6:.0f} MFLOP a crop)",
                cores=cores,
                load=f"batch {batch}",
                audio_s_per_s=batch * CROP_S / taken,
                matmul_share=batch * flops / taken / rate,
                kind="voice encoder",
            )
        torch.set_num_threads(cores)
        with threadpool_limits(cores):
            for batch in BATCHES:
                taken = _seconds_a_call(peer.embed, crops[:batch])
                yield Measurement(
                    "Resemblyzer", cores=cores, load=f"batch {batch}", audio_s_per_s=batch * CROP_S / taken
                )


def _seconds_a_call(embed: Callable[[Float32], Float32], batch: Float32) -> float:
    """Median over calls, after two that warm up."""
    for _ in range(2):
        embed(batch)
    taken: list[float] = []
    while len(taken) < 5 or (sum(taken) < _SECONDS and len(taken) < _MOST):
        start = perf_counter()
        embed(batch)
        taken.append(perf_counter() - start)
    return median(taken)
