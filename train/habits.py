"""What a body does that no score writes: hips that go with a raised leg, and the slow swaying of all that lives.

In and out: channels over time, as train/body.py has them, changed in place.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from train.body import CHANNELS, WIDTH, Array, unit

# A hip joint alone lifts the leg so far from hanging down; of what is more, this share is gained by the hip going up
# with it. So it was on recorded dancers: 5 to 19 degrees with the leg at 50, 22 at 70, 32 at 90 and 35 to 47 above 100,
# nearly the same to front, side and back. Of a leg straight ahead or behind the hip goes ahead or back with it.
HIP_ALONE, GAINED, HIGHEST_HIP = np.radians(30), 0.55, np.radians(50)
SWIVELLED = np.radians(16)


def open_hips(channels: Array, opened: float) -> None:
    """Let the hip of a raised leg go with it, so much of what it does where nobody tries to keep the hips square."""
    upright = np.cos(channels[:, CHANNELS["tilt"]]) * np.cos(channels[:, CHANNELS["lean"]])
    # in a cartwheel a leg that points up hangs from the hip; who sits, sits on both
    share = opened * np.clip(2 * upright, 0, 1) * (1 - channels[:, CHANNELS["seated"]])
    hike, swivel = np.zeros_like(share), np.zeros_like(share)
    for leg, sign in (("left", 1), ("right", -1)):
        _, up, front = unit(channels[:, CHANNELS[f"{leg}_direction"]]).T[..., None]
        unfolded = np.clip((channels[:, CHANNELS[f"{leg}_reach"]] - 0.3) / 0.4, 0, 1)  # a knee is lifted without it
        free = sign * channels[:, CHANNELS[f"{leg}_free"]] * unfolded
        hike += free * GAINED * np.maximum(np.arccos(np.clip(-up, -1, 1)) - HIP_ALONE, 0)
        swivel -= free * SWIVELLED * front
    channels[:, CHANNELS["hike"]] += share * np.clip(hike, -HIGHEST_HIP, HIGHEST_HIP)
    channels[:, CHANNELS["swivel"]] += share * swivel


# How much each part drifts when a dancer wobbles fully: radians, arm lengths or metres.
WOBBLE = {
    "tilt": 0.05,
    "lean": 0.05,
    "hike": 0.04,
    "swivel": 0.05,
    "bend": 0.05,
    "sway": 0.05,
    "twist": 0.06,
    "nod": 0.10,
    "look": 0.15,
    "tip": 0.06,
    "offset": 0.008,
    "left_hand": 0.07,
    "right_hand": 0.07,
    "left_direction": 0.04,
    "right_direction": 0.04,
}
WOBBLE_HZ = 1.3


def sway(channels: Array, hz: float, amount: float, rng: np.random.Generator) -> None:
    """Add slow noise to what no living body keeps still. Feet on the floor are not touched."""
    seconds = len(channels) / hz
    knots = np.arange(int(seconds * WOBBLE_HZ) + 3) / WOBBLE_HZ
    scale = np.zeros(WIDTH)
    for name, size in WOBBLE.items():
        scale[CHANNELS[name]] = size
    touched = np.flatnonzero(scale)
    noise = PchipInterpolator(knots, rng.normal(0, 1, (len(knots), len(touched))), axis=0)
    channels[:, touched] += amount * scale[touched] * noise(np.arange(len(channels)) / hz)
