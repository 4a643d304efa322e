"""onnxruntime sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bundle.arrays import Float32
from bundle.manifest import BundleError, StoredBundle

if TYPE_CHECKING:
    import onnxruntime

_PROVIDERS = ("CUDAExecutionProvider", "CPUExecutionProvider")  # in order of preference
INSTALL_LINE = "pip install onnxruntime    # or onnxruntime-gpu on a machine with CUDA"


class RuntimeMissingError(Exception):
    """onnxruntime is not installed; the message has the install line."""

    def __init__(self) -> None:
        super().__init__(f"onnxruntime is not installed. Choose one flavour:\n  {INSTALL_LINE}")


class OnnxSession:
    """One ONNX graph of a bundle, in memory. `run` is safe from any thread."""

    def __init__(self, bundle: StoredBundle, name: str, threads: int) -> None:
        """Raises RuntimeMissingError, and BundleError for a file that is damaged or is no such graph."""
        model = bundle.open(name)
        self._name = f"{name} of {bundle.id}"
        try:
            import onnxruntime  # a tenth of a second, and absent from the base install
        except ModuleNotFoundError:
            raise RuntimeMissingError from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; its warnings are about the graph, and not JSON
        # Between two batches the cores belong to decoding, not to spinning threads.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        available = onnxruntime.get_available_providers()
        try:
            self._session: onnxruntime.InferenceSession = onnxruntime.InferenceSession(
                model, options, providers=[p for p in _PROVIDERS if p in available]
            )
        except Exception as error:
            raise BundleError(f"{self._name} cannot be loaded: {error}") from error

    def run(self, output: str, **inputs: NDArray[Any]) -> Float32:
        """One output of the graph for the named inputs. Raises BundleError where it cannot be run on them."""
        try:
            result: list[Any] = self._session.run([output], inputs)
        except Exception as error:
            raise BundleError(f"{self._name} cannot be run: {error}") from error
        return np.asarray(result[0], dtype=np.float32)
