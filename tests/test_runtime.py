"""Sessions: the device that really runs, and files that are refused."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models import bounded
from models.bounded import within_bounds
from models.errors import DeviceError, ModelError
from models.nvidia import missing_for
from models.runtime import choose_device, open_session


def doubling_network(path: Path) -> Path:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def test_a_network_runs_on_the_cpu_and_says_so(tmp_path: Path) -> None:
    session = open_session(doubling_network(tmp_path / "n.onnx"), "cpu")
    assert session.provider == "CPUExecutionProvider"
    assert session.input.shape == ("batch", 3)
    assert session.run(np.ones((2, 3), np.float32)).tolist() == [[2, 2, 2], [2, 2, 2]]


@pytest.mark.parametrize(
    "code", ["from models.runtime import open_session", "import scripts.measure_loading, live.doctor"]
)
def test_onnxruntime_reports_to_nobody(tmp_path: Path, code: str) -> None:
    doubling_network(tmp_path / "n.onnx")
    home = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": ""}
    home.pop("ORT_DISABLE_TELEMETRY", None)
    load = f"{code}; import onnxruntime; onnxruntime.InferenceSession('n.onnx', providers=['CPUExecutionProvider'])"
    done = subprocess.run(
        [sys.executable, "-c", load],
        cwd=tmp_path,
        env={**home, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "home").exists()  # where it would keep the device's number


def test_more_threads_than_the_machine_has_do_no_harm(tmp_path: Path) -> None:
    before = threading.active_count()
    session = open_session(doubling_network(tmp_path / "n.onnx"), "cpu", threads=100_000)
    assert session.run(np.ones((1, 3), np.float32)).tolist() == [[2, 2, 2]]
    if sys.platform == "linux":
        assert len(list(Path("/proc/self/task").iterdir())) < before + 200


def test_auto_runs_whatever_the_machine_has(tmp_path: Path) -> None:
    session = open_session(doubling_network(tmp_path / "n.onnx"), "auto")
    expected = "CPUExecutionProvider" if missing_for("cuda") else "CUDAExecutionProvider"
    assert session.provider == expected


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_a_device_that_is_not_there_is_an_error_that_says_what_is_missing(device: str) -> None:
    if not missing_for(device):  # type: ignore[arg-type]
        pytest.skip("this machine has an NVIDIA driver")
    with pytest.raises(DeviceError, match=r"(?s)cannot be had.*--device cpu"):
        choose_device(device)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"", b"junk" * 1000, b"\x80\x04K\x01."])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "encoder.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"encoder\.onnx"):
        open_session(path, "cpu")


def test_a_network_that_keeps_its_weights_elsewhere_is_refused(tmp_path: Path) -> None:
    weights = helper.make_tensor("w", TensorProto.FLOAT, [64], np.ones(64, np.float32).tobytes(), raw=True)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [64])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [64])
    graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "add", [x], [y], [weights])
    path = tmp_path / "head.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        str(path),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    assert (tmp_path / "weights.bin").exists()
    with pytest.raises(ModelError, match="external data"):
        open_session(path, "cpu")
    # The same entry with its length written in two bytes, as a hostile file might have it.
    path.write_bytes(path.read_bytes().replace(b"\x0a\x08location", b"\x0a\x88\x00location"))
    with pytest.raises(ModelError, match="external data"):
        open_session(path, "cpu")


def test_a_network_of_two_inputs_is_refused(tmp_path: Path) -> None:
    a = helper.make_tensor_value_info("a", TensorProto.FLOAT, [1])
    b = helper.make_tensor_value_info("b", TensorProto.FLOAT, [1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["y"])], "add", [a, b], [y])
    path = tmp_path / "head.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    with pytest.raises(ModelError, match="2 inputs"):
        open_session(path, "cpu")


def test_a_session_on_the_cpu_prints_nothing(tmp_path: Path) -> None:
    path = doubling_network(tmp_path / "n.onnx")
    code = f"from pathlib import Path; from models.runtime import open_session; open_session(Path({str(path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=True
    )
    if missing_for("cuda"):
        assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
def test_a_network_is_not_refused_for_the_time_in_which_the_process_was_stopped() -> None:
    code = (
        "import time; from pathlib import Path; from models import bounded; bounded.TRIED_FOR_S = 0.5;"
        "work = lambda: (print('loads', flush=True), *(time.sleep(0.1) for _ in range(8)));"
        "bounded.within_bounds(Path('n.onnx'), work, lambda: None)"
    )
    root = Path(__file__).parent.parent
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None and process.stdout.readline() == "loads\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 0


def test_a_network_that_waits_for_ever_is_refused_though_it_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "WAITED_FOR_S", 0.3)
    ended = threading.Event()
    with pytest.raises(ModelError, match="within"):
        within_bounds(Path("n.onnx"), lambda: ended.wait(30), ended.set)
