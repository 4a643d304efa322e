from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from bundle.arrays import Float32

pytest.importorskip("torch", reason="the peer needs the `train` extra")

from benchmarks.decisions import decisions_page
from benchmarks.decisions.by_seconds import by_seconds, by_seconds_table
from benchmarks.decisions.figures import DecisionFigures
from benchmarks.decisions.identification import identification
from benchmarks.decisions.model import ScoredModel, Voices, crop_sums
from benchmarks.decisions.rows import Row
from benchmarks.decisions.summary import summary
from benchmarks.decisions.tried.durations import try_durations
from benchmarks.decisions.tried.normalisation import scores
from benchmarks.recordings.conditions import in_noise, other_channel, read_noises
from benchmarks.recordings.recordings import Recordings
from bundle.scoring import Calibration, OperatingPoint, Scorer, Scoring
from bundle.vectors import unit
from trainer.audio.folders import Clip
from trainer.bundles.newest import newest_bundle
from trainer.scoring.narrow import at_8_khz

SHIPPED = newest_bundle(Path(__file__).parents[2] / "models" / "autodecompose")


@pytest.fixture(scope="module")
def noises(speech_data: Path) -> list[Float32]:
    return read_noises(speech_data / "noise")


@pytest.fixture(scope="module")
def speech(speech_data: Path) -> Recordings:
    return Recordings.read(speech_data / "librispeech", "test", step=25)


@pytest.mark.parametrize("snr_db", [0, 5, 10, 20])
def test_noise_is_as_loud_as_it_says(noises: list[Float32], speech: Recordings, snr_db: int) -> None:
    for before, after in zip(speech.samples, speech.under(in_noise(noises, snr_db)).samples, strict=True):
        assert after.shape == before.shape
        measured_db = 20 * np.log10(np.linalg.norm(before) / np.linalg.norm(after - before))
        assert measured_db == pytest.approx(snr_db, abs=0.5)


def test_noise_has_no_silent_stretches(noises: list[Float32]) -> None:
    assert len(noises) == 80
    for noise in noises:
        level = np.sqrt((noise.reshape(-1, 160) ** 2).mean(axis=1))
        assert level.min() > 0.009 * level.max()


def test_every_recording_has_a_channel_of_its_own(noises: list[Float32], speech: Recordings) -> None:
    channel = other_channel(noises)
    samples = speech.samples[0]
    first, second = channel(samples, 0), channel(samples, 1)
    assert first.shape == samples.shape
    assert np.isfinite(first).all()
    assert not np.allclose(first, second, atol=1e-3)
    np.testing.assert_array_equal(first, other_channel(noises)(samples, 0))
    assert not np.allclose(first, other_channel(noises, seed=1)(samples, 0), atol=1e-3)


def test_8_khz_has_nothing_above_4_khz(speech: Recordings) -> None:
    samples = speech.samples[0]
    narrow = at_8_khz(samples, 0)
    assert abs(narrow.size - samples.size) <= 1
    spectrum = np.abs(np.fft.rfft(narrow))
    assert spectrum[round(0.52 * spectrum.size) :].max() < 1e-3 * spectrum.max()


def test_short_clips_are_joined_within_a_speaker() -> None:
    clips = [Clip(Path(f"{name}{i}"), name) for name in "ab" for i in range(3)]
    samples = [np.full(12_000, i, np.float32) for i in range(6)]  # 0.75 s each
    recordings = Recordings(samples, clips)
    cut = recordings.of_length(1.0)
    assert [clip.path.name for clip in cut.clips] == ["a0", "b0"]
    assert cut.joined == 2
    assert [list(np.unique(samples)) for samples in cut.samples] == [[0, 1], [3, 4]]
    assert {samples.size for samples in cut.samples} == {16_000}
    short = recordings.of_length(0.5, most=2)
    assert [clip.path.name for clip in short.clips] == ["a0", "a2", "b0", "b2"]
    assert short.joined == 0
    assert recordings.of_length(10.0).clips == []


def test_a_sum_is_that_of_the_recordings_own_crops() -> None:
    rng = np.random.default_rng(0)
    recordings = [rng.normal(size=n).astype(np.float32) for n in (5_000, 16_384, 40_000, 20_500)]

    def encode(crops: Float32) -> Float32:
        return unit(crops[:, :8])

    (sums,) = crop_sums([encode], recordings)
    assert sums.shape == (4, 8)
    for recording, total in zip(recordings, sums, strict=True):
        np.testing.assert_allclose(crop_sums([encode], [recording])[0][0], total, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(sums[:2], axis=1), 1, rtol=1e-5)  # one crop each


def test_identification_of_voices_far_apart_and_of_one_voice() -> None:
    model = ScoredModel(
        "none",
        lambda crops: crops,
        Scorer(
            Scoring(
                score_type="centred_cosine",
                mean=(0.0,) * 6,
                calibration=Calibration(slope=10, intercept=-5),
                false_accept=(
                    OperatingPoint(fpr=0.1, threshold=0.4),
                    OperatingPoint(fpr=0.001, threshold=0.6),
                ),
                fitted_on="nothing",
            )
        ),
    )
    speakers = [name for name in "abcdef" for _ in range(4)]
    apart = np.repeat(np.eye(6, dtype=np.float32), 4, axis=0)
    figures = identification(model, apart, speakers, [5.0] * 24)
    assert (figures.detected, figures.served_false, figures.served_detected) == (100, 0, 100)
    assert figures.enrolled == 3
    assert figures.probes == figures.strangers == 20 * 3 * 2  # two of four clips enrol
    alike = identification(model, np.ones((24, 6), np.float32), speakers, [5.0] * 24)
    assert alike.detected == 0
    assert alike.served_false == 100


def test_by_seconds_uses_the_threshold_and_the_calibration_of_the_length() -> None:
    def scoring(slope: float, threshold: float) -> dict[str, object]:
        return {
            "calibration": {"slope": slope, "intercept": -slope / 2},
            "false_accept": [{"fpr": 0.01, "threshold": threshold}],
        }

    plain = {"score_type": "centred_cosine", "mean": [0.0] * 3, "fitted_on": "nothing", **scoring(1, 2)}
    entries = [{"seconds": 1.0, **scoring(50, 0.5)}, {"seconds": 2.0, **scoring(1, -1)}]

    def encode(crops: Float32) -> Float32:
        return np.eye(3, dtype=np.float32)[crops[:, 0].astype(int)]

    clips = [Clip(Path(f"{name}{i}"), name) for name in "abc" for i in range(4)]
    speech = Recordings([np.full(100_000, i // 4, np.float32) for i in range(12)], clips)
    model = ScoredModel("none", encode, Scorer(Scoring.model_validate(plain | {"by_seconds": entries})))
    rows = by_seconds(model, "toy", speech)
    assert [row.seconds for row in rows] == [1, 2, 4, 8]  # two clips of 6.25 s enrol, two are joined for 8 s
    assert [(row.target, row.nontarget) for row in rows] == [(6, 12)] * 3 + [(3, 6)]
    first, second = rows[0], rows[1]
    assert first.known
    assert second.known
    assert (first.without.false_accepts, first.without.misses) == (0, 100)
    assert (first.known.false_accepts, first.known.misses) == (0, 0)
    assert (second.known.false_accepts, second.known.misses) == (100, 0)
    assert first.known.cllr < 1e-6 < first.without.cllr == second.known.cllr
    assert "| toy, 1 s | 0.00 / 0.00 | 100.0 / 0.0 |" in by_seconds_table(rows)
    plainly = by_seconds(ScoredModel("none", encode, Scorer(Scoring.model_validate(plain))), "toy", speech)
    assert plainly[0].known is None
    assert "| toy, 1 s | 0.00 / – | 100.0 / – |" in by_seconds_table(plainly)


def test_normalised_scores_by_hand() -> None:
    voices = Voices(np.eye(3, dtype=np.float32)[[0, 1]], np.array(["a", "b"]))
    cohort = Voices(
        np.array([[0.2, 0.1, 0], [0.4, 0.5, 0], [1, 1, 1], [-1, -1, 0]], np.float32),
        np.array(["c", "d", "a", "e"]),
    )
    # a's own vector is left out: mean 0.3, deviation 0.1; b's best two: 1 and 0.5.
    target, nontarget = scores(voices, cohort, 2)
    assert target.size == 0
    assert nontarget == pytest.approx([((0 - 0.3) / 0.1 + (0 - 0.75) / 0.25) / 2])
    assert scores(voices, cohort, None)[1] == pytest.approx([0.0])


def drawn_voices(spread: float) -> Voices:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(20, 16)), 5, axis=0)
    vectors = unit((centres + spread * rng.normal(size=centres.shape)).astype(np.float32))
    return Voices(vectors, np.repeat([f"s{i}" for i in range(20)], 5))


def test_one_length_alone_makes_every_calibration_the_same() -> None:
    voices = drawn_voices(1.0)
    durations = try_durations(voices, {2.0: voices})
    assert durations.cllr[2.0] == pytest.approx([durations.cllr[2.0][0]] * 3, rel=1e-3)
    assert 0 < durations.cllr[2.0][0] < 1


def test_a_calibration_that_knows_the_length_follows_it() -> None:
    clear = drawn_voices(0.3)
    durations = try_durations(clear, {1.0: drawn_voices(1.5), 10.0: clear})
    assert durations.fits[10.0][0] > durations.fits[1.0][0]  # the slope rises with what was said
    whole, pooled, aware = np.mean(list(durations.cllr.values()), axis=0)
    assert aware < pooled < whole


def test_summary_sorts_by_what_was_promised() -> None:
    def row(what: str, false_accepts: float, misses: float) -> Row:
        return Row("c", what, [DecisionFigures(1, 0.1, 0.1, 0.1, false_accepts, misses, 10, 10)])

    rows = [row("a", 0.0, 1.0), row("b", 2.0, 30.0), row("c", 2.1, 0.0), Row("c", "none", [None])]
    trusted, not_trusted, misses = (part.strip() for part in summary(rows).split("**")[2::2])
    assert trusted.endswith("- c: a 0.0 %, b 2.0 %")
    assert not_trusted.endswith("- c: c 2.1 %")
    assert misses.endswith("- c: b 30.0 %")


@pytest.fixture
def few_clips(speech_data: Path, tmp_path: Path) -> Path:
    """Corpora of a few speakers each, whose clips stay where they are."""

    def copy(corpus: str, split: str, speakers: int, clips: int) -> None:
        with (speech_data / corpus / "metadata.tsv").open(encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file, delimiter="\t", quoting=3) if row["split"] == split]
        names = sorted({row["speaker"] for row in rows})
        drawn = names[:: max(1, len(names) // speakers)][:speakers]
        table = tmp_path / corpus / "metadata.tsv"
        table.parent.mkdir(exist_ok=True)
        new = not table.exists()
        with table.open("a", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", quoting=3, quotechar=None)
            if new:
                writer.writeheader()
            for name in drawn:
                for row in [row for row in rows if row["speaker"] == name][:clips]:
                    writer.writerow({**row, "path": str(speech_data / corpus / row["path"])})

    copy("librispeech", "test", 3, 3)
    copy("speechocean762", "test", 5, 7)
    copy("librispeech", "train", 20, 1)
    copy("speechocean762", "train", 12, 10)
    copy("noise", "test", 1, 3)
    copy("noise", "train", 1, 3)
    copy("english_digits", "test", 3, 20)
    copy("arabic_speech_commands", "test", 3, 12)
    copy("nemo", "test", 3, 12)
    return tmp_path


def test_page_of_a_few_clips_without_the_peer(few_clips: Path, tmp_path: Path) -> None:
    page = tmp_path / "results" / "decisions.md"
    page.parent.mkdir()
    page.write_text("# Title\n")
    said: list[str] = []
    card = tmp_path / "card.md"
    decisions_page(SHIPPED, few_clips, page, card, with_peer=False, say=said.append)
    text = page.read_text()
    assert text.startswith("# Title\n\n<!-- benchmarks decisions")
    assert page.with_name("decisions-det.png").read_bytes().startswith(b"\x89PNG")
    for corpus in ("librispeech", "speechocean762"):
        for what in ("2 s of speech", "noise at 0 dB", "8 kHz", "another channel each"):
            line = next(line for line in text.splitlines() if line.startswith(f"| {corpus}, {what}"))
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert 0 <= float(cells[1]) <= 100
            assert float(cells[2]) <= float(cells[3])  # the least cost is below the actual one
    assert "english_digits, joined to 4 s" in text
    assert "aged under 12" in text
    assert "aged under 12" in card.read_text()
    assert "would help" in text or "would not help" in text
    assert "Resemblyzer" not in text
