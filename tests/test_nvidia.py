"""What is missing to run on an NVIDIA device, told by the real command line; the driver is a stand-in made by gcc."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from toys import draw_clip

from models.errors import DeviceError
from models.nvidia import PROVIDERS, libraries, missing_for, provider_options

ROOT = Path(__file__).parent.parent
NEEDS_GCC = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("gcc") is None or missing_for("cuda") is None,
    reason="the stand-ins are made by gcc, and take the place of a driver that is not there",
)
HAS_CUDA = pytest.mark.skipif(
    f"without {PROVIDERS['cuda']}" in getattr(missing_for("cuda"), "what", ""), reason="this onnxruntime knows no CUDA"
)


def stand_in(folder: Path, name: str, **functions: str) -> None:
    """A library of C functions, each with its head as "int cuInit(unsigned flags)" and its body."""
    code = "\n".join(body for body in functions.values()) or "int nothing;"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(folder / name)], input=code, text=True, check=True
    )


def driver(folder: Path, *, code: int = 0, devices: int = 1, cuda: int = 99000) -> Path:
    """A driver that answers as the real one does to who asks what there is."""
    stand_in(
        folder,
        "libcuda.so.1",
        init=f"int cuInit(unsigned flags) {{ return {code}; }}",
        count=f"int cuDeviceGetCount(int *count) {{ *count = {devices}; return 0; }}",
        version=f"int cuDriverGetVersion(int *version) {{ *version = {cuda}; return 0; }}",
    )
    return folder


def pointe(*arguments: str, libraries: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv[0] = 'pointe'; import pointe; pointe.main()"
    held: Mapping[str, str] = {**os.environ, "LD_LIBRARY_PATH": str(libraries), **environment}
    return subprocess.run(
        [sys.executable, "-c", start, *arguments], cwd=ROOT, env=held, capture_output=True, text=True, timeout=120
    )


@NEEDS_GCC
@HAS_CUDA
@pytest.mark.parametrize(
    ("has", "said"),
    [
        ({"code": 999}, "no device that it could use (CUDA error 999)"),
        ({"devices": 0}, "no device that it could use"),
        ({"cuda": 11080}, "the NVIDIA driver is for CUDA 11"),
    ],
)
def test_a_driver_that_cannot_be_used_is_told_from_one_that_is_not_there(
    tmp_path: Path, has: dict[str, int], said: str
) -> None:
    done = pointe("live", "demo", "--headless", "--device", "cuda", libraries=driver(tmp_path, **has))
    assert done.returncode == DeviceError.exit_code
    assert said in done.stderr
    assert "--device cpu" in done.stderr
    assert len(done.stderr.splitlines()) <= 2


@NEEDS_GCC
@HAS_CUDA
def test_libraries_that_are_missing_are_named_with_what_to_type(tmp_path: Path) -> None:
    done = pointe("live", "demo", "--headless", "--device", "cuda", libraries=driver(tmp_path))
    assert done.returncode == DeviceError.exit_code
    assert "libcublasLt.so." in done.stderr and "not found" in done.stderr
    assert "[gpu]'" in done.stderr.splitlines()[1]
    assert done.stdout == ""


@NEEDS_GCC
@HAS_CUDA
def test_auto_says_once_why_the_device_that_is_there_is_not_used(tmp_path: Path) -> None:
    done = pointe("bench", "demo", "--frames", "10", "--device", "auto", libraries=driver(tmp_path))
    assert done.returncode == 0
    assert done.stderr.count("running on the CPU") == 1


@NEEDS_GCC
@HAS_CUDA
def test_auto_says_it_once_for_all_the_processes_of_classify(tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("a.mp4", "b.mp4"):
        draw_clip(videos / name, [("plie", 0.5)])
    arguments = ("classify", str(videos), "--out", str(tmp_path / "out"), "--jobs", "2")
    done = pointe(*arguments, libraries=driver(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("running on the CPU") == 1


@NEEDS_GCC
@HAS_CUDA
def test_libraries_that_do_not_work_end_in_two_lines_and_the_cause(tmp_path: Path) -> None:
    import onnxruntime as ort

    major = int(ort.cuda_version.partition(".")[0])
    for name in libraries("cuda", major, sys.platform):
        stand_in(tmp_path, name)
    done = pointe("live", "demo", "--headless", "--device", "cuda", libraries=driver(tmp_path))
    assert done.returncode == DeviceError.exit_code
    assert "could not start CUDAExecutionProvider" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    # As `auto`, which the doctor asks for, it is said and the CPU taken.
    done = pointe("doctor", libraries=tmp_path)
    assert "CPU: " in done.stdout
    assert done.stderr.count("running on the CPU") == len(done.stderr.splitlines()) == 1


def test_the_libraries_are_named_as_each_system_names_them() -> None:
    assert "libcublasLt.so.13" in libraries("cuda", 13, "linux")
    assert "libnvinfer.so.10" in libraries("tensorrt", 13, "linux")
    assert "cublasLt64_12.dll" in libraries("cuda", 12, "win32")
    assert not any("nvinfer" in name for name in libraries("cuda", 12, "win32"))


def test_tensorrt_keeps_its_engines_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    providers = provider_options("tensorrt", in_half=True, recorded=False)
    assert [name for name, _ in providers] == [PROVIDERS["tensorrt"], PROVIDERS["cuda"], PROVIDERS["cpu"]]
    options = providers[0][1]
    assert options["trt_engine_cache_enable"] and options["trt_timing_cache_enable"] and options["trt_fp16_enable"]
    assert not options["trt_int8_enable"]
    assert Path(options["trt_engine_cache_path"]).is_dir()
    assert Path(options["trt_engine_cache_path"]).is_relative_to(tmp_path)


@HAS_CUDA
def test_onnxruntime_knows_every_option_by_its_name() -> None:
    import onnxruntime as ort

    folder = Path(ort.__file__).parent / "capi"
    for device in ("cuda", "tensorrt"):
        library = next(folder.glob(f"*onnxruntime_providers_{device}.*")).read_bytes()
        options = dict(provider_options(device, in_half=True, recorded=True))[PROVIDERS[device]]  # type: ignore[arg-type]
        for option in options:
            assert option.encode() in library, option


@NEEDS_GCC
@HAS_CUDA
def test_the_doctor_calls_a_device_that_cannot_be_used_a_problem_and_says_what_to_type(tmp_path: Path) -> None:
    done = pointe("doctor", libraries=driver(tmp_path), DISPLAY="", WAYLAND_DISPLAY="")
    lines = [line.strip() for line in done.stdout.splitlines()]
    problem = next(index for index, line in enumerate(lines) if line.startswith("PROBLEM") and " cuda " in line)
    assert "libcublasLt.so." in lines[problem]
    assert lines[problem + 1].endswith("[gpu]'")
    assert done.returncode == 0, "it runs on the CPU"
