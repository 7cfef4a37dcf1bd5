"""Which clips are kept from training, to test or to validate on: whole dancers where they are known, else by move.

Drawn by hash, so that the same seed gives the same clips, and clips that are added later change little.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from train.clip import TRAIN, Clip, Split

# With fewer dancers than this in train, one of them for validation would take too much from training.
DANCERS_TO_VALIDATE_BY = 3


def split_validation(
    clips: Iterable[Clip], *, fraction: float = 0.2, seed: int = 0
) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    """Clips of the train split, parted into those to train on and those to validate on.

    Every move with two clips or more has one in each, where the dancers allow it. With three or more dancers known, of
    whom one can be spared, none of them is in both parts; otherwise it goes by clip.

    Raises:
        ValueError: a clip is of the test split, which must decide nothing in training.
    """
    clips = tuple(clips)
    foreign = [clip.path for clip in clips if clip.split != TRAIN]
    if foreign:
        raise ValueError(f"not of the train split: {foreign[0]}")
    dancers = {clip.dancer for clip in clips if clip.dancer is not None}
    spared = choose_dancers(clips, fraction, seed) if len(dancers) >= DANCERS_TO_VALIDATE_BY else set()
    chosen = spared or choose_clips(clips, fraction, seed)
    return tuple(clip for clip in clips if clip not in chosen), tuple(clip for clip in clips if clip in chosen)


def choose_clips(clips: Sequence[Clip], fraction: float, seed: int) -> set[Clip]:
    """About `fraction` of the clips of each move, but one at least of two; the order is drawn by hash."""
    of_move: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        of_move[clip.move].append(clip)
    chosen: set[Clip] = set()
    for move, group in of_move.items():
        wanted = min(max(round(fraction * len(group)), 1), len(group) - 1)
        chosen.update(sorted(group, key=lambda clip: _draw(seed, move, clip.path.name))[:wanted])
    return chosen


def choose_dancers(clips: Sequence[Clip], fraction: float, seed: int) -> set[Clip]:
    """All clips of a few dancers: about `fraction` of all, from as many moves as can be, and no move's last ones.

    Dancers are taken one by one: who brings most moves not yet chosen, then who comes closest to the fraction.
    """
    of_dancer: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.dancer is not None:
            of_dancer[clip.dancer].append(clip)
    left = Counter(clip.move for clip in clips)
    wanted = fraction * len(clips)
    chosen: set[Clip] = set()
    covered: set[str] = set()
    while True:
        free = {
            dancer: group
            for dancer, group in of_dancer.items()
            if not chosen.issuperset(group)
            and all(left[move] > count for move, count in Counter(clip.move for clip in group).items())
        }
        gain = {dancer: len({clip.move for clip in group} - covered) for dancer, group in free.items()}
        if not free or (len(chosen) >= wanted and not any(gain.values())):
            return chosen
        best = min(
            free,
            key=lambda dancer: (
                -gain[dancer],
                abs(wanted - len(chosen) - len(free[dancer])),
                _draw(seed, "dancer", dancer),
            ),
        )
        if not gain[best] and len(chosen) + len(free[best]) / 2 > wanted:
            return chosen  # nearer to the fraction without
        chosen.update(free[best])
        covered.update(clip.move for clip in free[best])
        left.subtract(clip.move for clip in free[best])


def _draw(*what: object) -> bytes:
    return hashlib.sha256("/".join(map(str, what)).encode("utf-8", "surrogateescape")).digest()


def dancers_in(clips: Iterable[Clip], split: Split) -> set[str]:
    return {clip.dancer for clip in clips if clip.split == split and clip.dancer is not None}
