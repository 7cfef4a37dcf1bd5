"""onnxruntime sessions: which device really runs a network, on how many threads.

onnxruntime falls back to the CPU without an exception, so after creation the session is asked what it runs on.
"""

import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.binding import Binding, buffer, memory_of
from models.bounded import within_bounds
from models.card import LARGEST_NETWORK_BYTES
from models.errors import DeviceError, ModelError
from models.machine import cores, install_command
from models.nvidia import PROVIDERS, NvidiaDevice, holds_int8, missing_for, provider_options, why_not_started

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda", "tensorrt")
FROM_PROVIDER = {provider: device for device, provider in PROVIDERS.items()}

# The key of an external tensor's entry as protobuf writes it (field 1, eight bytes; a hostile file may write the
# length in more bytes than needed). Such a tensor lives in another file, which could lie anywhere.
EXTERNAL_DATA = re.compile(rb"\x0a(?:\x08|\x88\x80*\x00)location")


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int | str | None, ...]  # a name or None where any length goes
    type: str  # "tensor(float)"


class Session:
    """A network with one input and one output that answers on one device."""

    def __init__(self, session: Any, path: Path, options: Any) -> None:
        """`options` are onnxruntime's RunOptions, by which a run can be ended."""
        self._session = session
        self._options = options
        self._tried = False
        self._binding: Binding | None = None
        self._bound_to: tuple[int, ...] = ()
        self.path = path
        self.provider: str = session.get_providers()[0]
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs; one of each is needed.")
        self.input = Tensor(inputs[0].name, tuple(inputs[0].shape), inputs[0].type)
        self.output = Tensor(outputs[0].name, tuple(outputs[0].shape), outputs[0].type)
        self._outputs = [self.output.name]

    def run(self, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The output for one input array, whose shape must fit `input.shape`. It is the caller's to keep.

        Raises:
            ModelError: the first time, on a CPU, where it does not come to an end.
            DeviceError: the device fails, as it does without memory.
        """
        if self.provider != PROVIDERS["cpu"]:  # which may take minutes to choose its kernels
            return self._run_on_device(array)
        if self._tried:
            return self._run(array)
        answer = within_bounds(self.path, lambda: self._run(array), self._end)
        self._tried = True
        return answer

    def _run(self, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        answer: npt.NDArray[np.float32] = self._session.run(self._outputs, {self.input.name: array}, self._options)[0]
        return answer

    def _run_on_device(self, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The first array of a shape tells that of the output; from the second on, all is bound."""
        try:
            if self._binding is None or self._bound_to != array.shape:
                answer = self._run(array)
                memory = memory_of(self.provider)
                buffers = {
                    self.input.name: buffer(memory, array.shape, self.input.type),
                    self.output.name: buffer(memory, answer.shape, self.output.type),
                }
                self._binding, self._bound_to = Binding(self._session, self._options, buffers), array.shape
                return answer
            self._binding.write(self.input.name, array)
            self._binding.run()
            return np.array(self._binding.read(self.output.name))
        except Exception as error:  # onnxruntime's errors have no common base of their own
            raise device_failed(self.provider, error) from error

    def _end(self) -> None:
        self._options.terminate = True


def open_session(path: Path, device: Device = "auto", threads: int = 1) -> Session:
    """Load an ONNX file onto a device.

    One intra-op thread by default: the other core decodes, and two threads degrade two- to threefold under load.

    Raises:
        DeviceError: the asked device cannot run it; says what is missing.
        ModelError: the file is no ONNX network that onnxruntime loads, or keeps its weights elsewhere.
    """
    import onnxruntime as ort

    chosen = choose_device(device)
    _refuse_foreign_weights(path)
    options = session_options(threads)

    def load() -> Session:
        quantised = chosen == "tensorrt" and holds_int8(path)
        providers = provider_options(chosen, in_half=False, recorded=False, quantised=quantised)
        session = ort.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
        return Session(session, path, ort.RunOptions())

    def end() -> None:
        options.set_load_cancellation_flag(True)

    try:
        session = within_bounds(path, load, end) if chosen == "cpu" else load()
    except ModelError:
        raise
    except Exception as error:  # onnxruntime's errors have no common base of their own
        if chosen == "cpu":
            raise ModelError(f"{path} cannot be loaded as an ONNX network: {first_line(error)}") from error
        session = open_session(path, "cpu", threads)  # raises where it is the file's fault
        if device != "auto":
            raise device_failed(PROVIDERS[chosen], error) from error
    if chosen != "cpu" and session.provider != PROVIDERS[chosen]:
        if device != "auto":
            raise not_started(chosen)
        say_once(f"running on the CPU: {PROVIDERS[chosen]} did not start (see `pointe doctor`)")
    return session


def session_options(threads: int) -> Any:
    """onnxruntime's SessionOptions as every session of ours has them."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    # More threads than cores gain nothing, and thousands would leave the machine without an answer.
    options.intra_op_num_threads = min(threads, cores())
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is said by us, once, and not by the C++ side too
    return options


def choose_device(device: Device) -> Literal["cpu", "cuda", "tensorrt"]:
    """What `auto` means on this machine; an asked device is checked as far as can be without a session.

    `auto` says why it takes the CPU where an NVIDIA device is there; once, and not where there is none.

    Raises:
        DeviceError: the asked device cannot be had; says what is missing.
    """
    if device == "cpu":
        return "cpu"
    missing = missing_for(device if device != "auto" else "cuda")
    if not missing:
        return "cuda" if device == "auto" else device
    if device != "auto":
        advice = f"Type: {missing.advice}   or use --device cpu." if missing.advice else "Use --device cpu."
        raise DeviceError(f"--device {device} cannot be had: {missing.what}\n{advice}")
    if missing.device_there:
        say_once(f"running on the CPU, though an NVIDIA device is there: {missing.what} See `pointe doctor`.")
    return "cpu"


def not_started(device: NvidiaDevice) -> DeviceError:
    """onnxruntime fell back to the CPU, as it does without an exception."""
    why = why_not_started(device) or "it does not say why"
    return DeviceError(
        f"--device {device}: onnxruntime could not start {PROVIDERS[device]}: {why}\n"
        f"Type: {install_command('gpu')}   or use --device cpu."
    )


def device_failed(provider: str, error: BaseException) -> DeviceError:
    """What to raise where a device that ran does not any more."""
    return DeviceError(
        f"--device {FROM_PROVIDER.get(provider, provider)}: the device failed: {first_line(error)}\n"
        "Free its memory or look at it with nvidia-smi; or use --device cpu."
    )


@cache
def say_once(text: str) -> None:
    """Tell the user something that holds for the whole process."""
    print(f"pointe: {text}", file=sys.stderr)


def first_line(error: BaseException) -> str:
    """What onnxruntime complains of, in one line without colours, not endless."""
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return "".join(char if char.isprintable() else "?" for char in line)[:300]


def _refuse_foreign_weights(path: Path) -> None:
    try:
        if path.stat().st_size > LARGEST_NETWORK_BYTES:
            raise ModelError(f"{path} is larger than {LARGEST_NETWORK_BYTES} bytes; no encoder or head is.")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    if EXTERNAL_DATA.search(content):
        raise ModelError(f"{path} keeps weights in another file (external data), which is refused.\nExport it again.")
