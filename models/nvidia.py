"""What it takes to run on an NVIDIA device: what is missing for it here, and what onnxruntime is told about it."""

import contextlib
import ctypes
import io
import shlex
import sys
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from models.files import cache_folder
from models.machine import install_command

NvidiaDevice = Literal["cuda", "tensorrt"]
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
# onnxruntime-gpu up to 1.31 links TensorRT 10.
TENSORRT_MAJOR = 10
TENSORRT_WHEEL = "tensorrt-cu13<11"


@dataclass(frozen=True)
class Missing:
    """Why an NVIDIA device cannot be used."""

    what: str  # a sentence
    advice: str = ""  # what to type, where that is known
    device_there: bool = False  # whether the driver has a device


@cache
def missing_for(device: NvidiaDevice) -> Missing | None:
    """What this machine lacks to run on an NVIDIA device; None where nothing is known to be missing.

    The libraries that are there have been loaded then, those of the wheels too.
    """
    import onnxruntime as ort

    if PROVIDERS[device] not in ort.get_available_providers():
        return Missing(f"this onnxruntime ({ort.__version__}) was built without {PROVIDERS[device]}.")
    major = cuda_major()
    driver = _missing_of_driver(major)
    if driver:
        return driver
    load_libraries()
    lacking = [name for name in libraries(device, major, sys.platform) if not _loads(name)]
    if not lacking:
        return None
    of_cuda = set(lacking) & set(libraries("cuda", major, sys.platform))
    advice = install_command("gpu") if of_cuda else f"{shlex.quote(sys.executable)} -m pip install '{TENSORRT_WHEEL}'"
    return Missing(f"{', '.join(lacking)} not found.", advice, device_there=True)


def load_libraries() -> None:
    """Load CUDA and cuDNN from their wheels, where onnxruntime does not find them by itself.

    What fails is printed neither by this nor later by onnxruntime, since we say it in our own words.
    """
    import onnxruntime as ort

    ort.set_default_logger_severity(4)
    with contextlib.redirect_stdout(io.StringIO()):
        ort.preload_dlls()


def why_not_started(device: NvidiaDevice) -> str:
    """Why onnxruntime's provider did not load, after it has not; "" where it loads now, or nothing is said."""
    import onnxruntime as ort

    name = f"onnxruntime_providers_{device}"
    library = Path(ort.__file__).parent / "capi" / (f"{name}.dll" if sys.platform == "win32" else f"lib{name}.so")
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return str(error).removeprefix(f"{library}: ")
    return ""


def cuda_major() -> int:
    """The major version of CUDA that this onnxruntime is built for; 0 where it is built for none."""
    import onnxruntime as ort

    version = str(getattr(ort, "cuda_version", "")).partition(".")[0]
    return int(version) if version.isdigit() else 0


def libraries(device: NvidiaDevice, major: int, system: str) -> tuple[str, ...]:
    """What onnxruntime's provider loads: for `sys.platform` `system`, of CUDA `major`."""
    trt = TENSORRT_MAJOR
    if system == "win32":
        cuda = (f"cudart64_{major}.dll", f"cublasLt64_{major}.dll", f"cublas64_{major}.dll", "cudnn64_9.dll")
        return cuda + ((f"nvinfer_{trt}.dll", f"nvonnxparser_{trt}.dll") if device == "tensorrt" else ())
    cuda = (f"libcudart.so.{major}", f"libcublasLt.so.{major}", f"libcublas.so.{major}", "libcurand.so.10")
    return (*cuda, "libcudnn.so.9") + (
        (f"libnvinfer.so.{trt}", f"libnvonnxparser.so.{trt}") if device == "tensorrt" else ()
    )


def provider_options(
    device: Literal["cpu"] | NvidiaDevice, *, in_half: bool, recorded: bool, quantised: bool = False
) -> list[tuple[str, dict[str, Any]]]:
    """onnxruntime's providers in their order, with options.

    Everything not named here is left at its documented default: an exhaustive search for the fastest convolution,
    TF32, an arena that grows by powers of two.

    Args:
        in_half: TensorRT may compute in float16.
        quantised: the network holds int8 weights with their scales, which TensorRT refuses unless it is told.
        recorded: CUDA records the kernels of the first run as a graph and plays it back; fixed shapes, bound addresses.
    """
    cuda: dict[str, Any] = {"enable_cuda_graph": "1"} if recorded else {}
    providers: list[tuple[str, dict[str, Any]]] = [(PROVIDERS["cpu"], {})]
    if device != "cpu":
        providers.insert(0, (PROVIDERS["cuda"], cuda))
    if device == "tensorrt":
        folder = cache_folder() / "tensorrt"
        folder.mkdir(parents=True, exist_ok=True)
        options = {
            "trt_fp16_enable": in_half,
            "trt_int8_enable": quantised,
            "trt_engine_cache_enable": True,  # an engine takes minutes to build
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": True,
            "trt_timing_cache_path": str(folder),
        }
        providers.insert(0, (PROVIDERS["tensorrt"], options))
    return providers


def holds_int8(network: Path) -> bool:
    """Whether an ONNX file holds int8 weights with their scales."""
    return b"DequantizeLinear" in network.read_bytes()


def _missing_of_driver(major: int) -> Missing | None:
    """What of the driver is missing to run CUDA `major`.

    Ref: cuInit, cuDeviceGetCount and cuDriverGetVersion of the CUDA driver API, which has a C interface that is kept.
    """
    try:
        driver = ctypes.CDLL(DRIVER)
        code = driver.cuInit(0)
        count, version = ctypes.c_int(), ctypes.c_int()
        code = code or driver.cuDeviceGetCount(ctypes.byref(count)) or driver.cuDriverGetVersion(ctypes.byref(version))
    except OSError:
        return Missing(f"no NVIDIA driver is installed ({DRIVER} is not found).")
    except AttributeError:
        return Missing(f"{DRIVER} is not NVIDIA's driver.")
    if code or not count.value:
        return Missing(f"the NVIDIA driver finds no device that it could use (CUDA error {code or 100}).", "nvidia-smi")
    has = version.value // 1000  # 13000 is CUDA 13.0
    if has < major:
        what = f"the NVIDIA driver is for CUDA {has}, and this onnxruntime needs one for CUDA {major}."
        return Missing(what, device_there=True)
    return None


def _loads(library: str) -> bool:
    """By its name, or from TensorRT's wheel, which onnxruntime does not know of."""
    wheel = find_spec("tensorrt_libs")
    folders = list(wheel.submodule_search_locations or []) if wheel else []
    for path in (library, *(str(Path(folder) / library) for folder in folders)):
        try:
            ctypes.CDLL(path)
        except OSError:
            continue
        return True
    return False
