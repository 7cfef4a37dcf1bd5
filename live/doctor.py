"""What is installed here, what will really run, what is wrong and what to type about it: `pointe doctor`.

Every check ends in findings, whatever it meets: what is examined may be missing or broken, so it is imported inside.
"""

import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import models
from live.cameras import ABOUT, DEVICES, JOIN_GROUP, found_cameras
from live.installed import (
    CANNOT_RUN,
    OPENCV_WHEELS,
    ORT_WHEELS,
    PIP,
    Finding,
    double_wheels,
    import_advice,
    installed,
    ort_wheels,
    packages,
    uninstall,
    wanted,
)
from live.window import display_problem
from models.errors import PointeError
from models.machine import cores

if TYPE_CHECKING:
    from models.encoders import Encoder

SELF_TEST_FRAMES = 5
FALLBACK_ENCODER = Path(models.__file__).parent / "pretrained" / "movenet-lightning.onnx"


def examine() -> list[Finding]:
    """Everything worth knowing about this machine, in the order to read it in. Takes a few seconds."""
    checks: tuple[Callable[[], Iterable[Finding]], ...] = (
        machine,
        lambda: packages(installed()),
        lambda: double_wheels(installed()),
        opencv,
        ffmpeg,
        onnxruntime,
        cuda,
        model,
        display,
        cameras,
    )
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += check()
        except Exception as error:  # a broken installation can raise anything, and the other checks still help
            findings.append(Finding(False, f"{type(error).__name__}: {_first_line(error)}", topic="doctor"))
    return findings


def exit_code(findings: Sequence[Finding]) -> int:
    """0 where pointe can run."""
    return next((finding.exit_code for finding in findings if not finding.ok and finding.exit_code), 0)


def print_findings(findings: Sequence[Finding]) -> None:
    """A line for each finding, its advice below it, and at last whether pointe can run."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    topics = max((len(finding.topic) for finding in findings), default=0)
    for finding in findings:
        word, style = (
            ("PROBLEM", "bold red") if not finding.ok else ("note", "yellow") if finding.advice else ("ok", "green")
        )
        console.print(Text.assemble((f"{word:<8}", style), (f"{finding.topic:<{topics}}  ", "dim"), finding.what))
        for line in finding.advice.splitlines():
            console.print(Text(" " * (10 + topics) + line, "" if finding.ok else "bold"))
    problems = sum(not finding.ok for finding in findings)
    if exit_code(findings):
        verdict = Text(
            "pointe cannot run here yet: follow the advice below each PROBLEM, then ask the doctor again.", "bold red"
        )
    elif problems:
        verdict = Text("pointe can run here, but not all of it works: see PROBLEM above.", "yellow")
    else:
        verdict = Text("pointe can run here.", "green")
    console.print()
    console.print(verdict)


def machine() -> list[Finding]:
    system = f"{platform.system()} {platform.release()}, {platform.machine()}, {cores()} cores"
    version = platform.python_version()
    return [Finding(True, f"Python {version} at {sys.executable}; {system}", topic="machine")]


# The libraries that do the work


def opencv() -> list[Finding]:
    found = [f"{name} {version}" for name, version in installed().items() if name in OPENCV_WHEELS]
    try:
        import cv2
    except ImportError as error:
        return [
            Finding(
                False,
                f"does not load: {_first_line(error)}",
                import_advice(error, "opencv-python"),
                "opencv",
                CANNOT_RUN,
            )
        ]
    if not hasattr(cv2, "FontFace"):
        version = getattr(cv2, "__version__", "without a version")
        repair = f"{PIP} install --force-reinstall --no-deps '{wanted('opencv-python')}'"
        return [Finding(False, f"OpenCV {version} is damaged or older than 5", repair, "opencv", CANNOT_RUN)]
    built = cv2.getBuildInformation()
    reads = "reads video" if re.search(r"FFMPEG:\s+YES", built) else "WITHOUT FFmpeg"
    windows = re.search(r"^\s*GUI:\s*(\S+)", built, re.MULTILINE)
    shows = f"windows by {windows[1]}" if windows and windows[1] != "NONE" else "no windows"
    return [Finding(True, f"{', '.join(found) or cv2.__version__}: {reads}, {shows}", topic="opencv")]


def ffmpeg() -> list[Finding]:
    repair = f"{PIP} install --force-reinstall '{wanted('imageio-ffmpeg')}'\nUntil then leave --record out."
    try:
        import imageio_ffmpeg

        path, version = imageio_ffmpeg.get_ffmpeg_exe(), imageio_ffmpeg.get_ffmpeg_version()
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        return [Finding(False, f"recordings cannot be made: {_first_line(error)}", repair, "ffmpeg")]
    return [Finding(True, f"{version} at {path}", topic="ffmpeg")]


def onnxruntime() -> list[Finding]:
    repair = (
        f"{uninstall(ORT_WHEELS, installed())}\n{PIP} install --force-reinstall --no-deps '{wanted(ort_wheels()[0])}'"
    )
    try:
        import onnxruntime as ort
    except ImportError as error:
        advice = import_advice(error, ort_wheels()[0])
        return [Finding(False, f"does not load: {_first_line(error)}", advice, "onnxruntime", CANNOT_RUN)]
    if not hasattr(ort, "InferenceSession"):
        return [Finding(False, "is damaged, as after removing one of two wheels", repair, "onnxruntime", CANNOT_RUN)]
    names = [f"{name} {version}" for name, version in installed().items() if name in ORT_WHEELS]
    compiled = ", ".join(name.removesuffix("ExecutionProvider") for name in ort.get_available_providers())
    return [Finding(True, f"{', '.join(names) or ort.__version__}, built for {compiled}", topic="onnxruntime")]


# The device


def cuda() -> list[Finding]:
    """Whether an NVIDIA device could be used; what really runs is said by `model`."""
    try:
        from models.nvidia import PROVIDERS, missing_for

        missing = missing_for("cuda")
    except (ImportError, AttributeError):
        return []  # onnxruntime is broken, which is said elsewhere
    devices = ", ".join(nvidia_devices())
    if missing is None:
        findings = [Finding(True, devices or "a device is there", topic="cuda")]
        tensorrt = missing_for("tensorrt")
        if tensorrt:
            findings.append(Finding(True, f"not used: {tensorrt.what.rstrip('.')}", tensorrt.advice, "tensorrt"))
        return findings
    advice = missing.advice
    if devices and PROVIDERS["cuda"] in missing.what:  # the wrong wheel
        advice = f"{uninstall(ORT_WHEELS, installed())}\n{PIP} install --force-reinstall '{wanted('onnxruntime-gpu')}'"
    found = f" ({devices} is there)" if devices else ""
    return [Finding(not missing.device_there, f"not used: {missing.what.rstrip('.')}{found}", advice, "cuda")]


def nvidia_devices() -> list[str]:
    """The names of the NVIDIA devices that their own tool lists."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    command = [tool, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return []
    names = [line.strip() for line in answer.stdout.splitlines() if line.strip()]
    return names if answer.returncode == 0 else []


# The model, the display, the cameras


def model() -> list[Finding]:
    """The shipped model is loaded as `pointe live` does. Without it, its encoder alone shows what the device can do."""
    try:
        from live.recognizer import Recognizer
        from models.card import DEFAULT_MODEL, find_model
        from models.encoders import open_encoder
    except (ImportError, AttributeError):
        return []  # a library is broken, which is said elsewhere
    try:
        recognizer = Recognizer.load(find_model(DEFAULT_MODEL))
    except PointeError as error:
        advice = "Install pointe again, or give another model: pointe live --model DIR"
        findings = [Finding(False, _first_line(error), advice, "model", error.exit_code)]
        if FALLBACK_ENCODER.is_file():
            findings.append(self_test(open_encoder("pose", FALLBACK_ENCODER), FALLBACK_ENCODER.stem))
        return findings
    moves = ", ".join(move.display for move in recognizer.card.moves)
    shipped = Finding(True, f"{recognizer.card.name}: {moves}", topic="model")
    return [shipped, self_test(recognizer.encoder, recognizer.card.encoder.name)]


def self_test(encoder: "Encoder", name: str) -> Finding:
    """Encodes a few blank frames, and says on what and how fast."""
    import numpy as np

    from models.frames import Frame
    from models.on_device import DeviceEncoder

    blank = np.zeros((720, 1280, 3), np.uint8)
    taken_ms = []
    for index in range(SELF_TEST_FRAMES):
        start = time.perf_counter()
        encoder.push(Frame(blank, index, index / 15))
        taken_ms.append(1000 * (time.perf_counter() - start))
    provider = encoder.provider.removesuffix("ExecutionProvider")
    if isinstance(encoder, DeviceEncoder):
        provider += f" ({encoder.way})"
    return Finding(True, f"{provider}: {statistics.median(taken_ms):.1f} ms for a frame ({name})", topic="runs on")


def display() -> list[Finding]:
    problem = display_problem()
    if problem is None:
        return [Finding(True, "windows can be shown", topic="display")]
    what, _, advice = problem.partition("\n")
    return [Finding(True, what, advice, "display")]


def cameras(devices: Path = DEVICES, about: Path = ABOUT) -> list[Finding]:
    if not sys.platform.startswith("linux"):
        return [Finding(True, "not examined on this system; try: pointe live 0", topic="cameras")]
    findings = []
    for camera in found_cameras(devices, about):
        shown = f"{camera.device} {camera.name or 'a camera'}"
        if camera.users:
            findings.append(Finding(True, f"{shown}: in use by {', '.join(camera.users)}", topic="cameras"))
        elif camera.allowed:
            findings.append(Finding(True, f"{shown}: pointe live {camera.number}", topic="cameras"))
        else:
            findings.append(Finding(False, f"{shown}: this user may not open it", JOIN_GROUP, "cameras"))
    if not findings:
        advice = "Plug one in; in a container start it with --device /dev/video0. Files and rtsp:// need none."
        findings.append(Finding(True, "none found", advice, "cameras"))
    return findings


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
