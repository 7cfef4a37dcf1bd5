"""A model on a GPU: both networks as one graph, and the window kept on the device.

For a frame only the picture goes up, and only keypoints and probabilities come down. `models.device_parity` opens it.
"""

from itertools import count
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from models.binding import Binding, buffer, memory_of
from models.encoders import Feature, ImageEncoder, PoseEncoder
from models.frames import MAX_GAP_S, Box, Frame
from models.keypoints import KEYPOINTS
from models.one_graph import ANSWER, NEXT_WINDOW, PICTURE, PLACE, WINDOW
from models.runtime import device_failed


class OneGraph:
    """One stream on the one graph of a model: its window and its buffers.

    Two windows take turns, so that a frame that is not kept costs nothing, and a recording that is run more than once
    as it is made does no harm.
    """

    def __init__(self, session: Any, recordings: "count[int]") -> None:
        """`session` is as for a Binding; `recordings` numbers the bindings of all streams on it, from 1."""
        import onnxruntime as ort

        self._session, self._recordings = session, recordings
        self.provider: str = session.get_providers()[0]
        memory = memory_of(self.provider)
        tensors = {tensor.name: tensor for tensor in (*session.get_inputs(), *session.get_outputs())}
        values = {name: buffer(memory, tensor.shape, tensor.type) for name, tensor in tensors.items()}
        windows = values.pop(WINDOW), values.pop(NEXT_WINDOW)
        self._empty = np.zeros(tensors[WINDOW].shape, np.float32)
        self._bindings = []
        for now, following in (windows, windows[::-1]):
            options = ort.RunOptions()
            options.add_run_config_entry("gpu_graph_id", str(next(recordings)))
            self._bindings.append(Binding(session, options, {**values, WINDOW: now, NEXT_WINDOW: following}))
        self._turn = 0

    def another(self) -> "OneGraph":
        """For another stream, in the same session."""
        return OneGraph(self._session, self._recordings)

    def run(self, picture: npt.NDArray[np.uint8], place: npt.NDArray[np.float32] | None) -> npt.NDArray[np.float32]:
        """The graph's answer for a picture (size, size, 3), as `models.one_graph.join` says; (length,).

        Raises:
            DeviceError: the device fails.
        """
        binding = self._bindings[self._turn]
        try:
            binding.write(PICTURE, picture[None])
            if place is not None:
                binding.write(PLACE, place)
            binding.run()
            return np.array(binding.read(ANSWER)[0])
        except Exception as error:  # onnxruntime's errors have no common base of their own
            raise device_failed(self.provider, error) from error

    def newest(self) -> Feature:
        """The feature of the last picture."""
        return np.array(self._bindings[self._turn].read(NEXT_WINDOW)[0, -1])

    def keep(self) -> None:
        """The last picture belongs to the window; without this it is as if it had not been."""
        self._turn = 1 - self._turn

    def clear(self) -> None:
        self._bindings[self._turn].write(WINDOW, self._empty)


class DeviceEncoder:
    """An encoder whose feature is the answer already: the probabilities of the window that ends with the frame.

    The window on the device starts afresh on `reset`, and as the recogniser's where no dancer is seen for MAX_GAP_S.
    """

    def __init__(self, graph: OneGraph, eyes: PoseEncoder | ImageEncoder, moves: int, way: str) -> None:
        """`eyes` choose what the network looks at; their own network is not run. `way` is told by the doctor."""
        self._graph, self._eyes, self.way = graph, eyes, way
        self._pose = isinstance(eyes, PoseEncoder)
        self._height = 0
        self._kept_s = -np.inf
        self.feature_dim = moves
        self.input_size, self.whole_frame = eyes.input_size, eyes.whole_frame
        self.provider = graph.provider
        self.keypoints: npt.NDArray[np.float32] | None = None
        self.box: Box | None = None

    def another(self) -> Self:
        return type(self)(self._graph.another(), self._eyes.another(), self.feature_dim, self.way)

    def reset(self) -> None:
        self._eyes.reset()
        self.keypoints = self.box = None
        self._forget()

    def prepare(self, frame: Frame) -> npt.NDArray[np.uint8]:
        if frame.time_s - self._kept_s > MAX_GAP_S:
            self._forget()
        self._height = frame.image.shape[0]
        picture = self._eyes.picture(frame)
        self.box = self._eyes.box
        return picture

    def infer(self, prepared: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return self._graph.run(prepared, place_of(self.box, self._height) if self._pose else None)

    def interpret(self, output: npt.NDArray[np.float32], frame: Frame) -> Feature | None:
        keypoints, probabilities = np.split(output, [len(output) - self.feature_dim])
        seen = not self._pose or self._eyes.interpret(keypoints.reshape(1, 1, len(KEYPOINTS), 3), frame) is not None
        self.keypoints = self._eyes.keypoints
        if not seen:
            return None
        self._graph.keep()
        self._kept_s = frame.time_s
        return probabilities

    def push(self, frame: Frame) -> Feature | None:
        return self.interpret(self.infer(self.prepare(frame)), frame)

    def _forget(self) -> None:
        if self._kept_s > -np.inf:
            self._graph.clear()
        self._kept_s = -np.inf


class Answered:
    """The head of a DeviceEncoder, whose features are answers: that of a window is its last."""

    def run(self, array: npt.NDArray[Any], /) -> npt.NDArray[np.float32]:
        """(batch, window, moves) to (batch, moves)."""
        last: npt.NDArray[np.float32] = array[:, -1]
        return last


def place_of(box: Box | None, frame_height: int) -> npt.NDArray[np.float32]:
    """PLACE of models.one_graph: where in the frame a pose encoder's picture was cut."""
    assert box is not None, "the picture comes before its place"
    return np.array([box.left, box.top, box.width, box.height, frame_height], np.float32)
