"""EfficientNet-Lite0 as a Keras network, and how the weights of its PyTorch form get into it."""

from functools import partial
from typing import Any

import numpy as np

from export.to_onnx import ExportError

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
