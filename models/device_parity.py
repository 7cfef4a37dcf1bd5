"""A model is opened on a GPU in the fastest way in which it answers as it does on the CPU.

A float16 that overflows, a recording that does not see its input, a driver with a fault: what goes wrong silently is
found here, on a few frames, before the first of the user's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.binding import InOneThread
from models.card import ModelCard
from models.encoders import Encoder, Feature, ImageEncoder, PoseEncoder
from models.errors import DeviceError, ModelError
from models.frames import Frame
from models.machine import install_command
from models.nvidia import PROVIDERS, NvidiaDevice, holds_int8, provider_options
from models.on_device import DeviceEncoder, OneGraph, place_of
from models.one_graph import graph_file
from models.runtime import Session, first_line, not_started, say_once, session_options

# How far a device may answer from the CPU: features by the length of the difference, relative to the feature's own;
# probabilities by the largest difference. Convolutions in float16 differ by .001 and .0004 (three quarters of 367
# frames of the shipped model; the worst, where a joint is hidden, by .05 and .02), EfficientNet's features by .005.
FEATURE_TOLERANCE = 0.02
PROBABILITY_TOLERANCE = 0.05
# In so many of the frames it must be so: float16 may decide otherwise on a joint that is hidden.
SHARE_WITHIN = 0.75


@dataclass(frozen=True)
class Way:
    """One way to run the graph: convolutions in float16 or not, its kernels recorded and played back or not."""

    in_half: bool
    recorded: bool

    def __str__(self) -> str:
        return ("float16" if self.in_half else "float32") + (", CUDA graph" if self.recorded else "")


# The fastest first. onnxruntime's TensorRT provider keeps one recording for a session, whatever it is bound to; ours
# has two windows in turn, so TensorRT is not recorded.
WAYS: dict[Literal["cpu"] | NvidiaDevice, tuple[Way, ...]] = {
    "cuda": tuple(Way(in_half, recorded) for in_half in (True, False) for recorded in (True, False)),
    "tensorrt": (Way(True, False), Way(False, False)),
    "cpu": (Way(False, False),),  # what the tests run
}


@dataclass(frozen=True)
class Expected:
    """What the CPU makes of a picture with a dancer, after those before it."""

    picture: npt.NDArray[np.uint8]
    place: npt.NDArray[np.float32] | None
    feature: Feature
    probabilities: npt.NDArray[np.float32]


def open_on_device(
    folder: Path,
    card: ModelCard,
    eyes: Encoder,
    head: Session,
    device: Literal["cpu"] | NvidiaDevice,
    frames: Iterable[Frame],
) -> DeviceEncoder:
    """A model on a device, in the fastest way in which it answers to `frames` as the CPU does.

    Args:
        eyes: the model's encoder, on the CPU.
        head: the model's head, on the CPU.
        frames: some that the model knows what to make of; at least four.

    Raises:
        ModelError: the two networks cannot be joined.
        DeviceError: it cannot be had, or does not answer as the CPU.
    """
    assert isinstance(eyes, PoseEncoder | ImageEncoder)
    if find_spec("onnx") is None:
        raise DeviceError(f"--device {device} needs the package onnx.\nType: {install_command('gpu')}")
    expected = expectations(card, eyes, head, frames)
    problem = ""
    for way in WAYS[device]:
        try:
            session = _session(folder, card, device, way)
            if session.get_providers()[0] != PROVIDERS[device]:
                problem = first_line(not_started("tensorrt" if device == "tensorrt" else "cuda"))
                break
            graph = OneGraph(session, count(1))
            off = difference(graph, expected)
        except ModelError:
            raise
        except DeviceError as error:
            problem = first_line(error)
            continue
        except Exception as error:  # onnxruntime's errors have no common base of their own
            problem = f"--device {device}: {first_line(error)}"
            continue
        if off is None:
            graph.clear()
            return DeviceEncoder(graph, eyes, len(card.moves), str(way))
        problem = f"--device {device}: {card.name} in {way} answers otherwise than on the CPU: {off}"
        say_once(problem)
    raise DeviceError(f"{problem}\nUse --device cpu, or see `pointe doctor`.")


def expectations(
    card: ModelCard, eyes: PoseEncoder | ImageEncoder, head: Session, frames: Iterable[Frame]
) -> list[Expected]:
    """What the model's two networks make of the frames on the CPU, one after the other."""
    eyes.reset()
    window = np.zeros((1, card.window, card.encoder.feature_dim), np.float32)
    expected = []
    for frame in frames:
        output = eyes.infer(eyes.prepare(frame))
        picture = eyes.picture(frame).copy()
        place = place_of(eyes.box, frame.image.shape[0]) if isinstance(eyes, PoseEncoder) else None
        feature = eyes.interpret(output, frame)
        if feature is not None:
            window = np.concatenate([window[:, 1:], feature[None, None]], axis=1)
            expected.append(Expected(picture, place, feature.copy(), head.run(window)[0].copy()))
    eyes.reset()
    return expected


def difference(graph: OneGraph, expected: Sequence[Expected]) -> str | None:
    """How a device answers otherwise than the CPU, in words; None where it stays within tolerance.

    Before each picture it is shown another that is not kept, which may leave no trace.
    """
    if not expected:
        return "there is no frame to judge by"
    off, moved = [], []
    for each in expected:
        graph.run(each.picture[::-1].copy(), each.place)
        answer = graph.run(each.picture, each.place)
        length = max(float(np.linalg.norm(each.feature)), 1e-6)
        off.append(float(np.linalg.norm(graph.newest() - each.feature)) / length)
        moved.append(float(np.abs(answer[-len(each.probabilities) :] - each.probabilities).max()))
        graph.keep()
    of_features, of_probabilities = (float(np.quantile(values, SHARE_WITHIN)) for values in (off, moved))
    if not of_features <= FEATURE_TOLERANCE:  # which is so of NaN too
        return f"its features are off by {of_features:.1%}"
    if not of_probabilities <= PROBABILITY_TOLERANCE:
        return f"its probabilities are off by {of_probabilities:.2f}"
    return None


def _session(folder: Path, card: ModelCard, device: Literal["cpu"] | NvidiaDevice, way: Way) -> InOneThread:
    import onnxruntime as ort

    graph = graph_file(folder, card, in_half=way.in_half)
    providers = provider_options(device, in_half=way.in_half, recorded=way.recorded, quantised=holds_int8(graph))
    return InOneThread(
        lambda: ort.InferenceSession(str(graph), session_options(1), providers=providers, enable_fallback=0)
    )
