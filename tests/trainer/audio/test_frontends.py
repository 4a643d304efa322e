from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchaudio
from scipy.signal import butter, freqs

from trainer.audio.folders import contiguous_crops, read_audio, read_folder
from trainer.audio.frontends import FRONTENDS, LogMel, LogSpectrogram


@pytest.fixture(scope="module")
def crops(examples: Path) -> torch.Tensor:
    clip = read_folder(examples)[0]
    return torch.from_numpy(contiguous_crops(read_audio(clip.path)))


@pytest.mark.parametrize("name", FRONTENDS)
def test_a_crop_becomes_64_frames_of_80_bands(name: str) -> None:
    assert LogMel(FRONTENDS[name])(torch.zeros(3, 16384)).shape == (3, 64, 80)


@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
@pytest.mark.parametrize("name", ["paper", "wide"])
def test_agrees_with_torchaudio_on_real_speech(name: str, crops: torch.Tensor) -> None:
    settings = FRONTENDS[name]
    side = (settings.window - settings.hop) // 2
    padded = torch.nn.functional.pad(crops[:, None], (side, side), mode="reflect")[:, 0]
    power = torchaudio.transforms.Spectrogram(
        n_fft=settings.window, hop_length=settings.hop, center=False, power=2.0
    )(padded)  # (crops, bins, frames)
    hz = np.linspace(0, 8000, settings.window // 2 + 1)
    response = np.ones_like(hz)
    for edge, kind in ((settings.low_hz, "highpass"), (settings.high_hz, "lowpass")):
        b, a = butter(settings.filter_order, edge, kind, analog=True)
        response *= np.abs(freqs(b, a, hz)[1]) ** 2
    mel = torchaudio.transforms.MelScale(
        80, 16000, 0, 8000, settings.window // 2 + 1, norm="slaney", mel_scale="slaney"
    )(power * torch.from_numpy(response).float()[:, None])
    expected = (torchaudio.transforms.AmplitudeToDB(stype="power")(mel) + 100) / 200
    torch.testing.assert_close(
        LogMel(settings)(crops), expected.transpose(1, 2), atol=2e-4, rtol=0
    )  # 0.04 dB


def test_speech_lies_in_the_range_the_networks_expect(crops: torch.Tensor) -> None:
    features = LogMel()(crops)
    assert features.min() >= 0
    assert 0.2 < features.mean() < 0.6
    assert features.max() < 0.8


def test_level_features_do_not_hear_how_loud_a_crop_is_nor_what_is_far_below_its_peak(
    crops: torch.Tensor,
) -> None:
    level, wide = (LogMel(FRONTENDS[name]) for name in ("level", "wide"))
    torch.testing.assert_close(level(0.1 * crops), level(crops), atol=1e-4, rtol=0)
    hiss = 1e-4 * torch.randn(crops.shape, generator=torch.Generator().manual_seed(0))
    change = {f: (f(crops + hiss) - f(crops)).abs().mean() for f in (level, wide)}
    assert change[level] < 0.2 * change[wide]
    assert level(crops).amax(dim=(1, 2)).allclose(torch.tensor(0.25))  # 50 dB of the range, in units of 200


def test_a_tone_lights_its_own_band() -> None:
    seconds = torch.arange(16384) / 16000
    frontend = LogMel(FRONTENDS["wide"])
    loudest = [
        int(frontend(0.5 * torch.sin(2 * torch.pi * hz * seconds)[None]).mean(dim=1).argmax())
        for hz in (300.0, 1000.0, 3000.0)
    ]
    assert loudest == sorted(loudest)
    assert loudest[0] < loudest[1] < loudest[2]


def test_below_the_band_is_quiet() -> None:
    seconds = torch.arange(16384) / 16000
    hum, voice = (0.5 * torch.sin(2 * torch.pi * hz * seconds)[None] for hz in (20.0, 200.0))
    frontend = LogMel(FRONTENDS["wide"])
    assert (frontend(voice) - frontend(hum))[0, 30].max() > 25 / 200  # dB, in the band of the voice


def test_spectrogram_of_the_middle_second(crops: torch.Tensor) -> None:
    spectrogram = LogSpectrogram()(crops)
    assert spectrogram.shape == (len(crops), 513, 126)
    middle = torchaudio.transforms.Spectrogram(n_fft=1024, hop_length=128)(crops[:, 192:16192])
    expected = (torchaudio.transforms.AmplitudeToDB(stype="power")(middle) + 100) / 200
    torch.testing.assert_close(spectrogram, expected, atol=2e-4, rtol=0)
    torch.testing.assert_close(LogSpectrogram()(crops[:, 192:16192]), spectrogram)


@pytest.mark.parametrize("change", ["quieter", "louder", "offset", "upside down"])
def test_the_relative_front_end_hears_neither_level_nor_offset(change: str, crops: torch.Tensor) -> None:
    changed = {"quieter": crops * 0.01, "louder": crops * 4, "offset": crops + 0.3, "upside down": -crops}[
        change
    ]
    relative = LogMel(FRONTENDS["relative"])
    torch.testing.assert_close(relative(changed), relative(crops), atol=2e-5, rtol=0)  # 0.004 dB


def test_the_relative_front_end_hears_the_low_bands_of_a_telephone_as_before(crops: torch.Tensor) -> None:
    spectrum = torch.fft.rfft(crops)
    spectrum[:, spectrum.shape[1] // 2 :] = 0  # above 4 kHz
    relative = LogMel(FRONTENDS["relative"])
    narrow, wide = relative(torch.fft.irfft(spectrum, crops.shape[1])), relative(crops)
    assert (narrow - wide)[:, :, : relative.averaged].abs().mean() * 200 < 0.5  # dB


def test_silence_gives_zeros_to_the_relative_front_end() -> None:
    assert torch.equal(LogMel(FRONTENDS["relative"])(torch.zeros(2, 16384)), torch.zeros(2, 64, 80))
