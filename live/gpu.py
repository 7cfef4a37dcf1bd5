"""A model's networks where the user wants them: on a GPU as one graph, or on the CPU as two."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from live.address import DEMO
from models.card import ModelCard
from models.device_parity import open_on_device
from models.encoders import Encoder
from models.errors import DeviceError, ModelError
from models.frames import Frame, read_video
from models.on_device import Answered, DeviceEncoder
from models.runtime import Device, Session, choose_device, first_line, say_once


def on_gpu(
    folder: Path, card: ModelCard, encoder: Encoder, head: Session, device: Device
) -> tuple[DeviceEncoder, Answered] | None:
    """What takes the place of a model's encoder and head, which are on the CPU, where a GPU is to run them.

    Returns:
        None where the CPU is asked for, or nothing else is there for `auto`.

    Raises:
        DeviceError, ModelError: the asked device cannot be had, or not for these networks.
    """
    chosen = choose_device(device)
    if chosen == "cpu":
        return None
    try:
        return open_on_device(folder, card, encoder, head, chosen, frames_to_judge_by()), Answered()
    except (DeviceError, ModelError) as error:  # the latter where the two networks cannot be one
        if device != "auto":
            raise
        say_once(f"running on the CPU (see `pointe doctor`), for {first_line(error)}")
        return None


def frames_to_judge_by() -> Iterator[Frame]:
    """Twelve frames of the bundled clip, in which there is a dancer."""
    return islice(read_video(DEMO), 0, 240, 20)
