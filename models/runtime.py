"""onnxruntime sessions: which device really runs a network, on how many threads.

onnxruntime falls back to the CPU without an exception, so after creation the session is asked what it runs on.
"""

import ctypes
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from models.card import LARGEST_NETWORK_BYTES
from models.errors import DeviceError, ModelError
from models.machine import install_command
from models.threads import THREAD_PREFIX

Device = Literal["auto", "cpu", "cuda", "tensorrt"]
DEVICES: tuple[Device, ...] = ("auto", "cpu", "cuda", "tensorrt")
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}

# The key of an external tensor's entry as protobuf writes it (field 1, eight bytes; a hostile file may write the
# length in more bytes than needed). Such a tensor lives in another file, which could lie anywhere.
EXTERNAL_DATA = re.compile(rb"\x0a(?:\x08|\x88\x80*\x00)location")


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int | str | None, ...]  # a name or None where any length goes
    type: str  # "tensor(float)"


# A network that takes so long of a CPU to load, or to answer to one frame, is none that could run live. What a clock
# shows is no measure of that: the machine may be busy, or asleep.
TRIED_FOR_S = 4.0
# One that waits, whatever for, is given up too.
WAITED_FOR_S = 30.0
TICK_S = 0.1
# What one may take of the memory until then; the largest that there are take a quarter of it.
TRIED_WITH_BYTES = 4 << 30

_ONE_AT_A_TIME = threading.Lock()  # the bound is of the whole process

Answer = TypeVar("Answer")


class Session:
    """A network with one input and one output that answers on one device."""

    def __init__(self, session: Any, path: Path, options: Any) -> None:
        """`options` are onnxruntime's RunOptions, by which a run can be ended."""
        self._session = session
        self._options = options
        self._tried = False
        self.path = path
        self.provider: str = session.get_providers()[0]
        inputs, outputs = session.get_inputs(), session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelError(f"{path} has {len(inputs)} inputs and {len(outputs)} outputs; one of each is needed.")
        self.input = Tensor(inputs[0].name, tuple(inputs[0].shape), inputs[0].type)
        self.output = Tensor(outputs[0].name, tuple(outputs[0].shape), outputs[0].type)
        self._outputs = [self.output.name]

    def run(self, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The output for one input array, whose shape must fit `input.shape`.

        Raises:
            ModelError: the first time, on a CPU, where it does not come to an end.
        """
        if not self._tried and self.provider == PROVIDERS["cpu"]:  # a GPU may take minutes to choose its kernels
            answer = within_bounds(self.path, lambda: self._run(array), self._end)
        else:
            answer = self._run(array)
        self._tried = True
        return answer

    def _run(self, array: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        answer: npt.NDArray[np.float32] = self._session.run(self._outputs, {self.input.name: array}, self._options)[0]
        return answer

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
    options = ort.SessionOptions()
    # More threads than cores gain nothing, and thousands would leave the machine without an answer.
    options.intra_op_num_threads = min(threads, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what goes wrong is said by us, once, and not by the C++ side too
    _refuse_foreign_weights(path)
    if chosen != "cpu":
        ort.preload_dlls()
    providers = [PROVIDERS[chosen]] if chosen == "cpu" else [PROVIDERS[chosen], PROVIDERS["cpu"]]

    def load() -> Session:
        return Session(ort.InferenceSession(str(path), options, providers=providers), path, ort.RunOptions())

    def end() -> None:
        options.set_load_cancellation_flag(True)

    try:
        session = within_bounds(path, load, end) if chosen == "cpu" else load()
    except ModelError:
        raise
    except Exception as error:  # onnxruntime's errors have no common base of their own
        raise ModelError(f"{path} cannot be loaded as an ONNX network: {first_line(error)}") from error
    if session.provider != PROVIDERS[chosen]:
        if device != "auto":
            raise DeviceError(
                f"--device {device}: onnxruntime could not start {PROVIDERS[chosen]} and fell back to the CPU.\n"
                f"Its libraries may be missing. Type: {install_command('gpu')}   or use --device cpu."
            )
        print(f"pointe: {PROVIDERS[chosen]} did not start; running on the CPU (see `pointe doctor`)", file=sys.stderr)
    return session


def within_bounds(path: Path, work: Callable[[], Answer], end: Callable[[], None]) -> Answer:
    """What `work`, which loads or tries a network on the CPU, returns or raises, unless it takes too much.

    Work that is given up is asked to `end`, which it does after the operation that it is in. So it goes on for a
    while in a thread, which `pointe` leaves behind as it exits.

    Raises:
        ModelError: it takes TRIED_FOR_S of a CPU, or WAITED_FOR_S. Where it takes too much memory, onnxruntime raises.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def in_its_thread() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # whatever it is, it belongs to whoever waits
            errors.append(error)

    thread = threading.Thread(target=in_its_thread, name=THREAD_PREFIX + "model", daemon=True)
    with _memory_bounded():
        thread.start()
        _wait_for(thread)
    if errors:
        raise errors[0]
    if not answers:
        end()
        raise ModelError(f"{path} does not load or answer within {TRIED_FOR_S:.0f} s.\nUse another with --model.")
    return answers[0]


def _wait_for(thread: threading.Thread) -> None:
    """Until it ends, or has taken too much; time in which this process stood still, as by Ctrl-Z, does not count."""
    begun_s, looked_s, waited_s = time.process_time(), time.monotonic(), 0.0
    while thread.is_alive() and time.process_time() - begun_s < TRIED_FOR_S and waited_s < WAITED_FOR_S:
        thread.join(TICK_S)
        now_s = time.monotonic()
        waited_s += min(now_s - looked_s, 5 * TICK_S)
        looked_s = now_s


def first_line(error: BaseException) -> str:
    """What onnxruntime complains of, in one line without colours, not endless."""
    line = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return "".join(char if char.isprintable() else "?" for char in line)[:300]


@contextmanager
def _memory_bounded() -> Iterator[None]:
    """Let this process take no more than TRIED_WITH_BYTES on top of what it has; where the system can."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    with _ONE_AT_A_TIME:
        before, hard = resource.getrlimit(resource.RLIMIT_AS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        bound = used + TRIED_WITH_BYTES
        limits = [limit for limit in (before, hard, bound) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (before, hard))


def choose_device(device: Device) -> Literal["cpu", "cuda", "tensorrt"]:
    """What `auto` means on this machine; an asked device is checked as far as can be without a session.

    Raises:
        DeviceError: the asked device cannot be had; says what is missing.
    """
    if device == "cpu":
        return "cpu"
    missing = missing_for(device if device != "auto" else "cuda")
    if device == "auto":
        return "cpu" if missing else "cuda"
    if missing:
        raise DeviceError(f"--device {device} cannot be had: {missing}\nUse --device cpu, or see `pointe doctor`.")
    return device


def missing_for(device: Literal["cuda", "tensorrt"]) -> str | None:
    """What this machine lacks to run on an NVIDIA device; None where nothing is known to be missing."""
    import onnxruntime as ort

    if PROVIDERS[device] not in ort.get_available_providers():
        return f"this onnxruntime ({ort.__version__}) was built without {PROVIDERS[device]}."
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return "no NVIDIA driver is installed (libcuda is not found)."
    return None


def _refuse_foreign_weights(path: Path) -> None:
    try:
        if path.stat().st_size > LARGEST_NETWORK_BYTES:
            raise ModelError(f"{path} is larger than {LARGEST_NETWORK_BYTES} bytes; no encoder or head is.")
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}.") from error
    if EXTERNAL_DATA.search(content):
        raise ModelError(f"{path} keeps weights in another file (external data), which is refused.\nExport it again.")
