"""Conventions of the whole code base, held by a test so that nobody has to remember them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("models", "train", "export", "live")
MAY_IMPORT = {
    "models": {"models"},
    "train": {"train", "models"},
    "export": {"export", "models"},
    "live": {"live", "models"},
}
HEAVY = {"tensorflow", "keras", "tf2onnx", "onnx", "sklearn", "matplotlib", "scipy"}
# What the [gpu] extra brings, and the modules that are used with it alone.
ON_A_GPU = {"one_graph.py": {"onnx"}, "half.py": {"onnx"}}


def imports(path: Path) -> set[str]:
    """Top-level names of all that a file imports, also inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def modules(root: Path, package: str) -> list[Path]:
    return sorted((root / package).rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_of_ours_only_what_it_may(root: Path, package: str) -> None:
    for path in modules(root, package):
        assert imports(path) & set(PACKAGES) <= MAY_IMPORT[package], path.name
        assert "pointe" not in imports(path), path.name


@pytest.mark.parametrize("package", ["live", "models"])
def test_the_runner_never_imports_what_only_training_needs(root: Path, package: str) -> None:
    for path in modules(root, package):
        assert not imports(path) & HEAVY - ON_A_GPU.get(path.name, set()), path.name


def python(root: Path, code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True).stdout


def test_running_the_recogniser_loads_no_tensorflow(root: Path) -> None:
    code = (
        "import sys, pointe, live.runner, live.overlay, live.bench, live.doctor, models.encoders\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    assert python(root, code).strip() == "[]"


def test_help_needs_none_of_the_heavy_libraries(root: Path) -> None:
    # Not a timing: what makes help slow is importing these, and that can be told for sure.
    code = (
        "import sys, pointe\n"
        "sys.argv = ['pointe', '--help']\n"
        "try: pointe.main()\n"
        "except SystemExit: pass\n"
        f"print(sorted({(HEAVY | {'cv2', 'numpy', 'onnxruntime'})!r} & set(sys.modules)))"
    )
    assert python(root, code).strip().endswith("[]")


def test_importing_any_module_prints_nothing(root: Path) -> None:
    names = [
        ".".join(path.relative_to(root).with_suffix("").parts)
        for package in ("live", "models")
        for path in modules(root, package)
        if path.stem not in ("__init__", "__main__")
    ]
    assert python(root, "\n".join(f"import {name}" for name in names)) == ""
