"""Figures of a run for Prometheus, on loopback: frames, reconnects, latency and the move that goes on.

Needs the extra [metrics]. It is asked by whoever collects them, and costs the run nothing but counting.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

from live.source import FrameSource
from live.view import View
from models.card import NONE
from models.errors import UsageError, reason_of
from models.machine import install_command

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

HOST = "127.0.0.1"
# From a camera's frame to its answer, in seconds.
LATENCY_BUCKETS_S = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0)


class Metrics:
    """Serves http://127.0.0.1:PORT/metrics until it is closed."""

    def __init__(self, port: int, source: FrameSource) -> None:
        """Raises UsageError where the extra is not installed or the port cannot be had."""
        try:
            from prometheus_client import CollectorRegistry, Histogram, start_http_server
            from prometheus_client.registry import Collector
        except ImportError as error:
            raise UsageError(f"--metrics-port needs prometheus-client.\nType: {install_command('metrics')}") from error
        self._source = source
        self._answered = 0
        self._move: str | None = None
        self._latency_s: float | None = None  # the last one that was counted
        figures = self._figures

        class Figures(Collector):
            def collect(self) -> "Iterator[Metric]":
                return figures()

        registry = CollectorRegistry()
        registry.register(Figures())
        self._latencies = Histogram(
            "pointe_latency_seconds",
            "From a frame to its answer, for frames that were encoded.",
            registry=registry,
            buckets=LATENCY_BUCKETS_S,
        )
        try:
            self._server, self._thread = start_http_server(port, HOST, registry)
        except OSError as error:
            raise UsageError(
                f"--metrics-port {port} cannot be had: {reason_of(error, 'unknown')}.\nGive another."
            ) from error

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as they really are."""
        return str(self._server.server_address[0]), self._server.server_port

    def answer(self, view: View) -> None:
        """Count an answer; called by the recognising thread."""
        self._answered += 1
        self._move = view.current.name if view.current and view.current.name != NONE else None
        if view.latency_s is not None and view.latency_s != self._latency_s:
            self._latencies.observe(view.latency_s)
            self._latency_s = view.latency_s

    def _figures(self) -> "Iterator[Metric]":
        """What is only looked at when somebody asks."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        source = self._source
        for name, what, value in (
            ("pointe_frames_captured", "Frames that the source gave.", source.captured),
            ("pointe_frames_answered", "Frames that were recognised.", self._answered),
            ("pointe_frames_dropped", "Frames that were too old when their turn came.", source.dropped),
            ("pointe_reconnects", "Attempts to connect again.", source.reconnects),
        ):
            yield CounterMetricFamily(name, what, value=value)
        yield GaugeMetricFamily("pointe_connected", "0 while the source fails.", value=float(source.status is None))
        move = GaugeMetricFamily("pointe_current_move", "1 for the move that goes on.", labels=["move"])
        if self._move is not None and source.status is None:
            move.add_metric([self._move], 1)
        yield move

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
