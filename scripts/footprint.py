"""What a process holds, as Linux tells it: memory, threads and open files."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Footprint:
    rss_mib: float
    threads: int
    descriptors: int
    cpu_s: float  # used so far, user and system, without its children

    @classmethod
    def of(cls, pid: int | str = "self") -> "Footprint":
        """Raises OSError where there is no such process, or it has ended and nobody has asked how."""
        process = Path("/proc") / str(pid)
        lines = (line.partition(":") for line in (process / "status").read_text().splitlines())
        status = {name: value.split() for name, _, value in lines}
        if "VmRSS" not in status:
            raise ProcessLookupError(f"process {pid} has ended")
        ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        return cls(
            rss_mib=round(int(status["VmRSS"][0]) / 1024, 1),
            threads=int(status["Threads"][0]),
            descriptors=len(list((process / "fd").iterdir())),
            cpu_s=sum(map(int, ticks)) / TICKS_PER_S,
        )


def children_of(pid: int | str = "self") -> list[int]:
    """The processes that a process started, also those that have ended and nobody has asked how."""
    children: list[str] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError):  # a thread that has just ended
            children += path.read_text().split()
    return [int(child) for child in children]


def of_children() -> list[Footprint]:
    """Those of the processes that this one started and that still run."""
    footprints = []
    for pid in children_of():
        with suppress(OSError):  # it has ended
            footprints.append(Footprint.of(pid))
    return footprints


TICKS_PER_S = 100  # USER_HZ, which is 100 on every Linux that Python runs on
