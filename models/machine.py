"""On what a figure was measured: the machine and the versions, to go with every number."""

import os
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# What can change a figure, where it is installed.
PACKAGES = (
    "pointe",
    "numpy",
    "opencv-python",
    "opencv-python-headless",
    "onnxruntime",
    "onnxruntime-gpu",
    "tensorflow",
    "keras",
    "tf2onnx",
    "onnx",
    "scikit-learn",
)


def cores() -> int:
    """How many cores this process may use: fewer than the machine has where it is pinned to some."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Linux alone tells
        return os.cpu_count() or 1


def processor() -> str:
    """The processor's name, as its maker calls it where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or "unknown processor")


def machine() -> str:
    """In one line: "2 x AMD EPYC 9B14, Linux x86_64"."""
    return f"{cores()} x {processor()}, {platform.system()} {platform.machine()}"


def versions() -> dict[str, str]:
    """The version of Python and of each package of PACKAGES that is installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def install_command(extra: str) -> str:
    """What to type to get an extra. The setup of a checkout, where there is one, knows OpenCV without windows."""
    root = Path(__file__).parent.parent
    if Path(sys.prefix) == root / ".venv" and (root / "scripts" / "setup.sh").is_file():
        return f"cd {shlex.quote(str(root))} && sh scripts/setup.sh '.[{extra}]'"
    return f"{shlex.quote(sys.executable)} -m pip install 'pointe[{extra}]'"
