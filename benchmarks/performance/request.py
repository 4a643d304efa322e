"""Where the processor time of a request goes: a flame table of POST /embed for three kinds of file.

Processor time, not time of the clock: other work on the machine then hardly shows.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import process_time

import httpx
import soundfile
import soxr

from benchmarks.performance.machine import describe
from benchmarks.performance.material import WAV_S, speech
from benchmarks.performance.serving import running_service
from bundle.audio import SAMPLE_RATE_HZ
from bundle.voice import VoiceBundle
from service.api.embed import embed_answer
from service.audio import AudioLimits, SpeechDetector, prepare
from service.audio.decode import decode
from service.audio.decoder import EmbeddedRecording, Upload
from service.inference import OnnxSession
from trainer.pages.blocks import table, write_block
from trainer.terminal import Say

_REPEATS = 15  # of each stage
_REQUESTS = 60  # of each kind of file
_NPY = {"Accept": "application/x-npy"}
#: libsndfile's format and codec, and the rate of the file.
_KINDS = {
    "WAV, 16 kHz": ("WAV", "PCM_16", SAMPLE_RATE_HZ),
    "MP3, 44.1 kHz": ("MP3", "MPEG_LAYER_III", 44_100),
    "Opus, 48 kHz": ("OGG", "OPUS", 48_000),
}
_TEXT = """\
Measured on {date} with `python -m benchmarks request` on {machine.cores} cores of {machine.cpu},
with {model}, {machine.software}. Load average before the run: {machine.load:.1f}.

{table}

Milliseconds of processor time, of all threads, for `POST /embed` with {seconds} s of speech. Each stage is
the median of {repeats} calls in process, one after the other, with what it needs in the caches.
*The service* is a process of its own that answers {requests} requests in turn. *HTTP and all else* is what is
left of it: the server, checks, metrics and the log line, and what the same stages take longer in its threads.
"""


def request_page(bundle_folder: Path, data: Path, page: Path, json_path: Path | None, say: Say) -> None:
    """Measures every kind of file and writes the table into the page.

    Args:
        data: a folder of speech, or one that holds librispeech/.
        json_path: gets the figures, for `benchmarks compare`.

    Raises:
        BundleError: the bundle cannot be used.
        DataError: the speech cannot be read.
    """
    machine = describe()
    bundle = VoiceBundle.load(bundle_folder)
    _, wavs = speech(data / "librispeech" if (data / "librispeech").is_dir() else data)
    samples, _ = soundfile.read(io.BytesIO(wavs[0]), dtype="float32")
    files: dict[str, bytes] = {}
    for kind, (form, codec, rate) in _KINDS.items():
        buffer = io.BytesIO()
        soundfile.write(buffer, soxr.resample(samples, SAMPLE_RATE_HZ, rate), rate, codec, format=form)
        files[kind] = buffer.getvalue()
    figures = {kind: _stages(bundle, file) for kind, file in files.items()}
    for kind, (as_json, as_npy) in _served(bundle_folder, files).items():
        stages = figures[kind]
        stages["HTTP and all else"] = as_json - sum(stages.values())
        stages["the service, whole"] = as_json
        stages["the service, with an answer in .npy"] = as_npy
    say(json.dumps(figures))
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n")
    rows = [
        (stage, *(f"{stages[stage]:.1f}" for stages in figures.values()))
        for stage in next(iter(figures.values()))
    ]
    text = _TEXT.format(
        date=datetime.now(UTC).date(),
        machine=machine,
        model=bundle.id,
        table=table(("processor time, ms", *figures), rows),
        seconds=WAV_S,
        repeats=_REPEATS,
        requests=_REQUESTS,
    )
    write_block(page, "benchmarks request", text)


def _stages(bundle: VoiceBundle, file: bytes) -> dict[str, float]:
    """Milliseconds of each stage of one file, in the order in which they come."""
    limits, detector = AudioLimits(), SpeechDetector()
    session = OnnxSession(bundle, "voice", threads=1)
    prepared = prepare(file, limits, detector)
    crops = prepared.crops.waveforms
    embeddings = session.run("embedding", waveform=crops)
    recording = EmbeddedRecording(Upload(None, file), prepared, embeddings)
    decode_ms = _ms(lambda: decode(file, limits))
    detect_ms = _ms(lambda: detector.find(prepared.samples))
    return {
        "decode, resample": decode_ms,
        "speech detection": detect_ms,
        "level, crops, `audio`": _ms(lambda: prepare(file, limits, detector)) - decode_ms - detect_ms,
        "the network": _ms(lambda: session.run("embedding", waveform=crops)),
        "pooling, JSON": _ms(lambda: embed_answer([recording], bundle, segments=False).model_dump_json()),
    }


def _ms(work: Callable[[], object]) -> float:
    """Milliseconds of processor time, the median of calls."""
    work()
    taken = []
    for _ in range(_REPEATS):
        begin = process_time()
        work()
        taken.append(process_time() - begin)
    return 1000 * median(taken)


def _served(bundle_folder: Path, files: Mapping[str, bytes]) -> dict[str, Sequence[float]]:
    """Milliseconds of the service for one request of each kind, answered in JSON and in .npy."""
    figures: dict[str, Sequence[float]] = {}
    with (
        running_service(bundle_folder, inference_threads=1) as service,
        httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client,
    ):
        for kind, file in files.items():
            times = []
            for headers in ({}, _NPY):
                client.post("/embed", content=file, headers={"Content-Type": "audio/wav", **headers})
                begin = service.cpu_s()
                for _ in range(_REQUESTS):
                    client.post(
                        "/embed", content=file, headers={"Content-Type": "audio/wav", **headers}
                    ).raise_for_status()
                times.append(1000 * (service.cpu_s() - begin) / _REQUESTS)
            figures[kind] = times
    return figures
