"""A frame in, a feature vector out: the pose of the one dancer it follows, or an image CNN's view of the frame.

The very same encoders make the training features and the live ones. They know nothing of windows or moves.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from models.card import EncoderInfo, EncoderKind, sha256_of
from models.errors import ModelError
from models.frames import Box, Frame, to_input, whole_square
from models.keypoints import INDEX, KEYPOINTS
from models.pretrained import pretrained_path
from models.runtime import Device, Session, open_session

Feature = npt.NDArray[np.float32]  # (feature_dim,)
POSE_INPUT, IMAGE_INPUT = "tensor(int32)", "tensor(uint8)"
POSE_DIM = 3 * len(KEYPOINTS)  # 51
XY_SCORE = np.array((1, 0, 2))  # from MoveNet's order, which is y, x, score

# A keypoint of at least this score is taken as seen (MoveNet's model card uses 0.3 for drawing).
SEEN = 0.3
# The dancer counts as seen with this many of the twelve joints from the shoulders down. Six, so that a teacher
# filmed from the chest down is followed too.
JOINTS_TO_FOLLOW = 6
LIMBS = slice(INDEX["left_shoulder"], None)
# The crop of the next frame: the seen joints' extent and room for a leg that rises before it is looked at again.
CROP_MARGIN = 1.25
# And room for one who runs or leaps, who will be as far from here again: so many times what the middle of the joints
# has moved since the frame before, and no more than this part of the crop. In 2751 frames of
# recorded dance, drawn from three sides at 15 a second, ankles lost by .4 of a torso became .041 instead of .052.
ROOM_FOR_MOVING, MOST_ROOM = 1.0, 0.35
# A crop is at least this part of the frame's height, lest noise on a distant dancer be taken for one.
SMALLEST_CROP = 0.15


class Encoder(Protocol):
    """Frame by frame. `push` is `interpret(infer(prepare(frame)), frame)`; the benchmark times the three apart."""

    feature_dim: int
    input_size: int  # pixels, square
    whole_frame: bool  # what it looks at is all of a frame, whatever it saw before
    keypoints: npt.NDArray[np.float32] | None  # (17, 3): x, y in pixels, score; of the last frame, for drawing
    box: Box | None  # what of the last frame was looked at; None is all of it
    provider: str

    def prepare(self, frame: Frame) -> npt.NDArray[Any]:
        """The network's input; valid until the next call."""

    def infer(self, prepared: npt.NDArray[Any]) -> npt.NDArray[np.float32]: ...

    def interpret(self, output: npt.NDArray[np.float32], frame: Frame) -> Feature | None: ...

    def push(self, frame: Frame) -> Feature | None:
        """The frame's feature; None when no dancer is seen."""

    def reset(self) -> None:
        """Forget the frames so far, as for a new clip."""

    def another(self) -> Self:
        """One for another stream, on the same network."""


class PoseEncoder:
    """MoveNet on a square that follows the dancer.

    The feature is (51,): for each keypoint x and y in units of the frame's height (so that it does not depend on the
    resolution) and the score. What centres it on the body and takes out its scale is the head's first layer, since
    both are steadier over a window than in one frame.

    Ref: MoveNet's crop from the last frame's keypoints, https://www.tensorflow.org/hub/tutorials/movenet
    """

    feature_dim = POSE_DIM
    whole_frame = False

    def __init__(self, session: Session) -> None:
        size = _square_size(session, POSE_INPUT, "int32 (1, size, size, 3)")
        self._session = session
        self.provider = session.provider
        self.input_size = size
        self._crop = np.empty((self.input_size, self.input_size, 3), np.uint8)
        self._input = np.empty((1, self.input_size, self.input_size, 3), np.int32)
        self.reset()

    def reset(self) -> None:
        self.keypoints: npt.NDArray[np.float32] | None = None
        self.box: Box | None = None
        self._next_box: Box | None = None

    def another(self) -> Self:
        return type(self)(self._session)

    def picture(self, frame: Frame) -> npt.NDArray[np.uint8]:
        """What the network looks at of the frame: (size, size, 3) RGB; valid until the next call."""
        self.box = self._next_box or whole_square(*frame.image.shape[:2])
        return to_input(frame.image, self.box, self.input_size, self._crop)

    def prepare(self, frame: Frame) -> npt.NDArray[np.int32]:
        self._input[0] = self.picture(frame)
        return self._input

    def infer(self, prepared: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return self._session.run(prepared)

    def interpret(self, output: npt.NDArray[np.float32], frame: Frame) -> Feature | None:
        # The next frame waits for this: few calls of numpy on 17 points, each of which costs as much as all the points.
        box, height = self.box, frame.image.shape[0]
        assert box is not None, "prepare comes before interpret"
        keypoints: npt.NDArray[np.float32] = output[0, 0].take(XY_SCORE, axis=1)
        keypoints *= np.array((box.width, box.height, 1), np.float32)
        keypoints += np.array((box.left, box.top, 0), np.float32)
        points = keypoints.tolist()
        if sum(score >= SEEN for _, _, score in points[LIMBS]) < JOINTS_TO_FOLLOW:
            self.keypoints, self._next_box = None, None
            return None
        self.keypoints = keypoints
        seen = [(x, y) for x, y, score in points if score >= SEEN]
        self._next_box = _square_around(seen, SMALLEST_CROP * height, self._next_box)
        feature: Feature = np.divide(keypoints, (height, height, 1), dtype=np.float32).ravel()
        return feature

    def push(self, frame: Frame) -> Feature | None:
        return self.interpret(self.infer(self.prepare(frame)), frame)


class ImageEncoder:
    """An ImageNet CNN on the whole frame, stretched to a square; its pooled features, normalisation in the graph."""

    whole_frame = True

    def __init__(self, session: Session) -> None:
        size = _square_size(session, IMAGE_INPUT, "uint8 (batch, size, size, 3)")
        features = session.output.shape
        if len(features) != 2 or not isinstance(features[1], int):
            raise ModelError(f"{session.path}: an image encoder gives (batch, features), this one {features}.")
        self._session = session
        self.provider = session.provider
        self.feature_dim = features[1]
        self.input_size = size
        self._input = np.empty((size, size, 3), np.uint8)
        self.keypoints: npt.NDArray[np.float32] | None = None
        self.box: Box | None = None

    def reset(self) -> None:
        """Nothing is remembered between frames."""

    def another(self) -> Self:
        return type(self)(self._session)

    def picture(self, frame: Frame) -> npt.NDArray[np.uint8]:
        """What the network looks at of the frame: (size, size, 3) RGB; valid until the next call."""
        if frame.look is not None and len(frame.look.picture) == self.input_size:
            return frame.look.picture
        return to_input(frame.image, None, self.input_size, self._input)

    def prepare(self, frame: Frame) -> npt.NDArray[np.uint8]:
        return self.picture(frame)[None]

    def infer(self, prepared: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return self._session.run(prepared)

    def interpret(self, output: npt.NDArray[np.float32], frame: Frame) -> Feature | None:
        feature: Feature = output[0]
        return feature

    def push(self, frame: Frame) -> Feature | None:
        return self.interpret(self.infer(self.prepare(frame)), frame)


def open_encoder(kind: EncoderKind, path: Path, device: Device = "auto", threads: int = 1) -> Encoder:
    """An encoder of a kind from its ONNX file.

    Raises:
        ModelError: the file does not load, or is an encoder of another kind.
        DeviceError: the asked device cannot be had.
    """
    return _encoder_on(open_session(path, device, threads), kind)


def describe_encoder(encoder: str | Path) -> tuple[Path, EncoderInfo]:
    """Where an encoder lies and what a card says of it.

    Args:
        encoder: pose, pose-thunder, image or inception-v3; or the path of an .onnx file of either kind.

    Raises:
        ModelError: there is no such encoder, or the file is none.
    """
    path = Path(encoder) if str(encoder).endswith(".onnx") else pretrained_path(str(encoder))
    session = open_session(path, "cpu")
    kind: EncoderKind = "pose" if session.input.type == POSE_INPUT else "image"
    opened = _encoder_on(session, kind)
    return path, EncoderInfo(
        kind=kind,
        name=path.stem,
        sha256=sha256_of(path),
        input_size=opened.input_size,
        feature_dim=opened.feature_dim,
    )


def _encoder_on(session: Session, kind: EncoderKind) -> Encoder:
    return PoseEncoder(session) if kind == "pose" else ImageEncoder(session)


def _square_size(session: Session, type_: str, wanted: str) -> int:
    shape = session.input.shape
    if (
        len(shape) != 4
        or session.input.type != type_
        or not isinstance(shape[1], int)
        or shape[1:] != (*shape[1:2] * 2, 3)
    ):
        raise ModelError(f"{session.path}: the encoder must take {wanted}, this one takes {session.input}.")
    return shape[1]


def _square_around(points: Sequence[tuple[float, float]], smallest: float, before: Box | None) -> Box:
    """The crop for the next frame; `before` is that of this one, if it followed the dancer."""
    xs, ys = zip(*points, strict=True)
    left, top, right, bottom = (np.float32(edge) for edge in (min(xs), min(ys), max(xs), max(ys)))
    extent = max(float(right - left), float(bottom - top))
    side = max(float(np.float32(CROP_MARGIN * extent)), smallest)
    center_x, center_y = float((left + right) / 2), float((top + bottom) / 2)
    if before:
        moved_x = abs(center_x - before.left - before.width / 2)
        moved_y = abs(center_y - before.top - before.height / 2)
        side += min(ROOM_FOR_MOVING * max(moved_x, moved_y), MOST_ROOM * side)
    # At whole pixels, which are cut in less than half the time. Unlike math, numpy rounds what is no number, too.
    side = float(np.ceil(side))
    return Box(float(np.rint(center_x - side / 2)), float(np.rint(center_y - side / 2)), side, side)
