"""A session's inputs and outputs in buffers that stay where they are, on the device that it runs on.

Nothing is allocated for a run, and on a GPU only what is written and read crosses over. On the CPU it is the very same
path, in the CPU's memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.threads import OneThread

DTYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int32)": np.int32}


def memory_of(provider: str) -> str:
    """Where a provider's buffers lie, as onnxruntime calls it."""
    return "cpu" if provider.startswith("CPU") else "cuda"


def buffer(memory: str, shape: Sequence[int], type_: str) -> Any:
    """An OrtValue of zeros that stays where it is; `type_` as onnxruntime writes it, "tensor(float)"."""
    import onnxruntime as ort

    value = ort.OrtValue.ortvalue_from_shape_and_type(list(shape), DTYPES[type_], memory, 0)
    value.update_inplace(np.zeros(shape, DTYPES[type_]))
    return value


class InOneThread:
    """An onnxruntime session that is loaded and run in one thread of its own, whoever asks.

    onnxruntime forbids to run a session with CUDA graphs from several threads: each would have a recording of its own.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._thread = OneThread()
        self._session = self._thread.run(load)
        self.get_inputs, self.get_outputs = self._session.get_inputs, self._session.get_outputs
        self.get_providers, self.io_binding = self._session.get_providers, self._session.io_binding

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        self._thread.run(lambda: self._session.run_with_iobinding(binding, options))


class Binding:
    """One set of buffers for one session. A session may have several, of which some buffers may be the same."""

    def __init__(self, session: Any, options: Any, buffers: Mapping[str, Any]) -> None:
        """One for a session.

        Args:
            session: onnxruntime's, or one InOneThread.
            options: onnxruntime's.
            buffers: by the names of all inputs and outputs.
        """
        self._session, self._options, self._buffers = session, options, dict(buffers)
        self._binding = session.io_binding()
        for tensor in session.get_inputs():
            self._binding.bind_ortvalue_input(tensor.name, buffers[tensor.name])
        for tensor in session.get_outputs():
            self._binding.bind_ortvalue_output(tensor.name, buffers[tensor.name])

    def write(self, name: str, array: npt.NDArray[Any]) -> None:
        """Copy into the buffer, whose shape and type `array` must have."""
        self._buffers[name].update_inplace(array)

    def run(self) -> None:
        self._session.run_with_iobinding(self._binding, self._options)

    def read(self, name: str) -> npt.NDArray[Any]:
        """What the buffer holds. On the CPU that is the buffer itself, which the next run overwrites."""
        array: npt.NDArray[Any] = self._buffers[name].numpy()
        return array
