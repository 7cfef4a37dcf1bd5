"""Buffers that stay where they are, on real networks on the CPU."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from toys import save_encoder

from models.binding import Binding, buffer, memory_of
from models.errors import DeviceError
from models.nvidia import PROVIDERS
from models.pretrained import ENCODERS, pretrained_path
from models.runtime import Session, session_options


def on_cpu(path: Path) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), session_options(1), providers=[PROVIDERS["cpu"]])


def bound(session: ort.InferenceSession, shapes: dict[str, list[int]]) -> Binding:
    tensors = [*session.get_inputs(), *session.get_outputs()]
    buffers = {tensor.name: buffer("cpu", shapes.get(tensor.name, tensor.shape), tensor.type) for tensor in tensors}
    return Binding(session, ort.RunOptions(), buffers)


@pytest.mark.parametrize("name", ["pose", "image"])
def test_a_bound_run_answers_to_the_bit_as_a_plain_one(name: str) -> None:
    session = on_cpu(pretrained_path(ENCODERS[name]))
    taken, given = session.get_inputs()[0], session.get_outputs()[0]
    shapes = {tensor.name: [1, *tensor.shape[1:]] for tensor in (taken, given)}
    binding, random = bound(session, shapes), np.random.default_rng(0)
    for _ in range(3):
        picture = random.integers(0, 256, shapes[taken.name]).astype(np.int32 if name == "pose" else np.uint8)
        binding.write(taken.name, picture)
        binding.run()
        assert np.array_equal(binding.read(given.name), session.run(None, {taken.name: picture})[0])


def test_no_output_is_allocated_for_a_run(tmp_path: Path) -> None:
    save_encoder(tmp_path / "encoder.onnx")
    session = on_cpu(tmp_path / "encoder.onnx")
    binding = bound(session, {"image": [1, 32, 32, 3], "feature": [1, 3]})
    seen = []
    for level in (10, 200):
        binding.write("image", np.full((1, 32, 32, 3), level, np.uint8))
        binding.run()
        seen.append(binding.read("feature"))
    assert np.shares_memory(*seen)
    assert seen[0] == pytest.approx(200 / 255)


class OnAnotherDevice:
    """A real session that says it runs on an NVIDIA device, and fails from some run on as one without memory does."""

    def __init__(self, session: ort.InferenceSession, fails_from: int | None = None) -> None:
        self._session, self._fails_from, self.runs = session, fails_from, 0

    def get_providers(self) -> list[str]:
        return [PROVIDERS["cuda"]]

    def __getattr__(self, name: str) -> object:
        return getattr(self._session, name)

    def _count(self) -> None:
        self.runs += 1
        if self._fails_from is not None and self.runs >= self._fails_from:
            raise RuntimeError("CUDA failure 2: out of memory ; GPU=0 ; hostname=studio\n  at cuda_call.cc:129")

    def run(self, *arguments: object) -> object:
        self._count()
        return self._session.run(*arguments)

    def run_with_iobinding(self, *arguments: object) -> object:
        self._count()
        return self._session.run_with_iobinding(*arguments)


def test_a_session_on_a_device_binds_its_buffers_and_answers_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.runtime.memory_of", lambda provider: "cpu")
    save_encoder(tmp_path / "encoder.onnx")
    plain = on_cpu(tmp_path / "encoder.onnx")
    session = Session(OnAnotherDevice(plain), tmp_path / "encoder.onnx", ort.RunOptions())
    kept = []
    for batch, level in ((1, 10), (1, 20), (1, 30), (2, 40), (2, 50)):
        picture = np.full((batch, 32, 32, 3), level, np.uint8)
        kept.append((session.run(picture), plain.run(None, {"image": picture})[0]))
    for answer, expected in kept:  # each is the caller's to keep
        assert np.array_equal(answer, expected)


@pytest.mark.parametrize("fails_from", [1, 2, 3])
def test_a_device_that_fails_is_an_error_in_two_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_from: int
) -> None:
    monkeypatch.setattr("models.runtime.memory_of", lambda provider: "cpu")
    save_encoder(tmp_path / "encoder.onnx")
    device = OnAnotherDevice(on_cpu(tmp_path / "encoder.onnx"), fails_from)
    session = Session(device, tmp_path / "encoder.onnx", ort.RunOptions())
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    with pytest.raises(DeviceError) as raised:
        for _ in range(3):
            session.run(picture)
    assert device.runs == fails_from
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("--device cuda: the device failed: CUDA failure 2: out of memory")
    assert len(lines) == 2 and "--device cpu" in lines[1]


def test_a_device_that_fails_while_a_video_runs_ends_the_command_with_exit_code_5(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from models import runtime\n"
        "run, runs = runtime.Session.run, []\n"
        "def failing(session, array):\n"
        "    runs.append(1)\n"
        "    if len(runs) > 60:\n"
        "        raise runtime.device_failed('CUDAExecutionProvider', OSError('CUDA failure 999: unknown error'))\n"
        "    return run(session, array)\n"
        "runtime.Session.run = failing\n"
        f"sys.argv = ['pointe', 'live', 'demo', '--headless', '--no-pace', '--events', {str(tmp_path / 'e.jsonl')!r}]\n"
        "import pointe\n"
        "pointe.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == DeviceError.exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert "--device cuda: the device failed: CUDA failure 999" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert (tmp_path / "e.jsonl").is_file()


def test_buffers_lie_where_the_provider_runs() -> None:
    assert [memory_of(provider) for provider in PROVIDERS.values()] == ["cpu", "cuda", "cuda"]
