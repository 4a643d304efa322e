"""The first table of docs/performance.md: everything whose speed is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.performance.embedding import embedding_speed
from benchmarks.performance.finetuning import finetuning_time
from benchmarks.performance.generation import generation_speed, newest_generator
from benchmarks.performance.machine import describe
from benchmarks.performance.material import WAV_S, speech
from benchmarks.performance.serving import serving_speed
from benchmarks.performance.streams import listening_speed
from benchmarks.performance.table import Measurement, markdown
from trainer.pages.blocks import write_block
from trainer.terminal import Say

_TEXT = """\
Measured on {date} with `make bench` on {machine.cores} cores of {machine.cpu}, {machine.memory_gib:.0f} GiB,
{machine.software}. Load average before the run: {machine.load:.1f}; 0 is a machine that does nothing else.

{table}
- *Real-time factor* is computing time over audio time.
- *Embedding*: crops of speech of 1.024 s, from waveform to embedding, the median call. The peer gets the same
  crops and as many threads. *Of fp32 product* is a share of the rate in the row above.
- *In process* is the service's own decoding, speech detection and embedding without HTTP, one file a thread.
- *POST /finetune*: the note says where the seconds go. The job also writes and checks the ONNX files.
- *Generation*: one clip of a second at a time, the median. *Whole* is from label to WAV, without HTTP.
- *POST /embed*: each client sends its next file when it has an answer. Clients and service share the cores.
- *WS /listen*: each stream sends 128 ms of speech at a time, as fast as it is spoken, and is answered
  every 0.512 s. Latency is from the last sample of a step to its answer. *Cores* are the service's alone.
"""


def performance_page(
    bundle: Path, generator: Path | None, data: Path, page: Path, json_path: Path | None, say: Say
) -> None:
    """Measures everything and writes the table into the page; about three minutes.

    Args:
        generator: folder of a gaae bundle; None takes the newest under models/.
        data: a folder of speech, or one that holds librispeech/.
        json_path: gets the figures, for `benchmarks compare`.

    Raises:
        BundleError: the bundle cannot be used.
        DataError: the speech cannot be read.
        PeerMissingError: the peer's package is not installed.
    """
    machine = describe()
    measurements = []
    for measurement in _measurements(bundle, generator, data):
        measurements.append(measurement)
        say(" · ".join(cell for cell in measurement.cells() if cell != "–"))
    text = _TEXT.format(date=datetime.now(UTC).date(), machine=machine, table=markdown(measurements))
    write_block(page, "speed", text)
    if json_path is not None:
        rows = {measurement.name: measurement.figures() for measurement in measurements}
        json_path.write_text(json.dumps(rows, indent=2) + "\n")


def _measurements(bundle: Path, generator: Path | None, data: Path) -> Iterator[Measurement]:
    crops, wavs = speech(data / "librispeech" if (data / "librispeech").is_dir() else data)
    yield from embedding_speed(bundle, crops)
    yield from serving_speed(bundle, wavs, WAV_S)
    yield from listening_speed(bundle, wavs)
    yield from finetuning_time(bundle, wavs[0], WAV_S)
    yield from generation_speed(generator or newest_generator(Path("models")))
