"""Which packages are installed, which are missing or in each other's way, and what to type about it."""

import platform
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from live.window import SYSTEM_LIBRARIES
from models.errors import DeviceError
from models.machine import install_command

CANNOT_RUN = DeviceError.exit_code

OPENCV_WHEELS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
ORT_WHEELS = ("onnxruntime-gpu", "onnxruntime", "onnxruntime-directml", "onnxruntime-openvino", "onnxruntime-qnn")
TENSORFLOW_WHEELS = ("tensorflow", "tensorflow-cpu", "tensorflow-intel")
CUDNN_WHEELS = ("nvidia-cudnn-cu12", "nvidia-cudnn-cu13")
NEEDED = ("numpy", "pydantic", "rich", "typer", "imageio-ffmpeg")
FOR_TRAINING = ("tensorflow", "tf2onnx", "onnx", "scikit-learn", "matplotlib")
PIP = f"{shlex.quote(sys.executable)} -m pip"


@dataclass(frozen=True)
class Finding:
    """One thing that was examined. Advice with an ok finding is a hint; without ok it repairs."""

    ok: bool
    what: str
    advice: str = ""  # what to do; commands stand on lines of their own
    topic: str = ""
    exit_code: int = 0  # of the command, where pointe cannot run for this


def installed() -> dict[str, str]:
    """Every installed distribution and its version, names in lower case with hyphens."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:  # a half-removed one has none
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return found


def packages(found: Mapping[str, str]) -> list[Finding]:
    findings = [Finding(True, found.get("pointe", "runs from its folder, not installed"), topic="pointe")]
    missing = [name for name in NEEDED if name not in found]
    missing += [wheels[0] for wheels in (OPENCV_WHEELS, ort_wheels()) if not set(wheels) & set(found)]
    if missing:
        command = f"{PIP} install " + " ".join(f"'{wanted(name)}'" for name in missing)
        findings.append(Finding(False, f"missing: {', '.join(missing)}", command, "packages", CANNOT_RUN))
    versions = [f"{name} {found[name]}" for name in NEEDED if name in found]
    findings.append(Finding(True, ", ".join(versions) or "none", topic="packages"))
    training = [f"{name} {found[name]}" for name in FOR_TRAINING if name in found]
    lacking = [name for name in FOR_TRAINING if name not in found]
    if not lacking:
        findings.append(Finding(True, ", ".join(training), topic="training"))
    else:
        what = f"not installed ({', '.join(lacking)}); `pointe features`, `train`, `eval` and `export` need it"
        findings.append(Finding(True, what, install_command("train"), "training"))
    return findings


def double_wheels(found: Mapping[str, str]) -> list[Finding]:
    """Packages that write into the same folder: the last one installed wins, and removing one breaks the other."""
    findings = []
    for topic, wheels, keep in (
        ("onnxruntime", ORT_WHEELS, ort_wheels()[0]),
        ("opencv", OPENCV_WHEELS, OPENCV_WHEELS[0]),
        ("tensorflow", TENSORFLOW_WHEELS, TENSORFLOW_WHEELS[0]),
    ):
        both = [f"{name} {found[name]}" for name in wheels if name in found]
        if len(both) > 1:
            repair = f"{uninstall(wheels, found)}\n{PIP} install --force-reinstall --no-deps '{wanted(keep)}'"
            findings.append(Finding(False, f"{' and '.join(both)} overwrite each other; keep one", repair, topic))
    if all(name in found for name in CUDNN_WHEELS):
        what = "cuDNN for CUDA 12 and for CUDA 13 overwrite each other"
        advice = "Use one environment for training on CUDA and another for `pointe live`."
        findings.append(Finding(False, what, advice, "cuda"))
    return findings


def uninstall(wheels: Sequence[str], found: Mapping[str, str]) -> str:
    """The command that removes those of the wheels that are installed."""
    return f"{PIP} uninstall -y {' '.join(name for name in wheels if name in found)}"


def ort_wheels() -> tuple[str, ...]:
    """The wheels of onnxruntime, the one for this machine first: pyproject.toml holds the same choice as markers."""
    gpu = (sys.platform, platform.machine()) in {("linux", "x86_64"), ("win32", "AMD64")}
    return ORT_WHEELS if gpu else ("onnxruntime", *(name for name in ORT_WHEELS if name != "onnxruntime"))


def wanted(name: str) -> str:
    """The requirement on a package as pointe declares it: "opencv-python<6,>=5.0.0.93"."""
    try:
        requirements = metadata.requires("pointe") or []
    except metadata.PackageNotFoundError:
        requirements = []
    plain = (requirement.split(";")[0].strip() for requirement in requirements)
    return next((each for each in plain if re.fullmatch(rf"{re.escape(name)}[<>=!~].*", each)), name)


def import_advice(error: ImportError, package: str) -> str:
    """What to type where a package does not load."""
    if "cannot open shared object file" in str(error):
        return f"A system library is missing. On Debian or Ubuntu, as root:\n{SYSTEM_LIBRARIES}"
    if "DLL load failed" in str(error):
        return "Install the Microsoft Visual C++ Redistributable (x64):\nhttps://aka.ms/vs/17/release/vc_redist.x64.exe"
    return f"{PIP} install --force-reinstall '{wanted(package)}'"
