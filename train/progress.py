"""What a training tells while it runs: a live table on a terminal, plain lines elsewhere, and TensorBoard's logs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from train.run_folder import Epoch, Progress

ROWS = 16  # of the live table; history.csv has them all


class EpochTable:
    """Shows each epoch as it ends. Use `show_epochs`."""

    def __init__(self, console: Console, live: Live | None, epochs: int) -> None:
        self._console = console
        self._live = live
        self._epochs = epochs

    def step(self, epoch: int, step: int, steps: int, loss: float) -> None:
        """Say how far the epoch is; only where a line can be written over."""
        if self._live is not None:
            self._live.console.set_window_title(f"pointe: epoch {epoch}, {step} of {steps}, loss {loss:.3f}")

    def update(self, progress: Progress) -> None:
        """Show the state after an epoch."""
        if self._live is not None:
            self._live.update(self._table(progress), refresh=True)
        else:
            self._console.print(_line(progress.epochs[-1], progress, self._epochs), highlight=False, soft_wrap=True)

    def _table(self, progress: Progress) -> Table:
        table = Table("epoch", "loss", "accuracy", "val loss", "val accuracy", "rate", "s", "", box=None)
        for epoch in progress.epochs[-ROWS:]:
            best = "best" if epoch == progress.best else ""
            style = "bold" if best else None
            table.add_row(f"{epoch.epoch}/{self._epochs}", *_cells(epoch), best, style=style)
        return table


@contextmanager
def show_epochs(epochs: int, console: Console | None = None) -> Iterator[EpochTable]:
    console = console or Console()
    if not console.is_terminal:
        yield EpochTable(console, None, epochs)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield EpochTable(console, live, epochs)


def _cells(epoch: Epoch) -> tuple[str, ...]:
    return (
        f"{epoch.loss:.4f}",
        f"{epoch.accuracy:.3f}",
        f"{epoch.val_loss:.4f}",
        f"{epoch.val_accuracy:.3f}",
        f"{epoch.learning_rate:.1e}",
        f"{epoch.seconds:.1f}",
    )


def _line(epoch: Epoch, progress: Progress, epochs: int) -> str:
    loss, accuracy, val_loss, val_accuracy, rate, seconds = _cells(epoch)
    best = "  best" if epoch == progress.best else ""
    return (
        f"epoch {epoch.epoch}/{epochs}  loss {loss}  accuracy {accuracy}  val loss {val_loss}  "
        f"val accuracy {val_accuracy}  rate {rate}  {seconds} s{best}"
    )


class TensorBoardLog:
    """Scalars under RUN/logs, written without the package tensorboard, which only looking at them needs."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self._tf = tf
        self._writer = tf.summary.create_file_writer(str(folder))
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
        self._metadata: Any = tf.compat.v1.SummaryMetadata(plugin_data=plugin, data_class=1)  # 1: a scalar

    def write(self, epoch: Epoch) -> None:
        with self._writer.as_default():
            for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
                value = self._tf.constant(getattr(epoch, name), self._tf.float32)
                self._tf.summary.write(name, value, step=epoch.epoch, metadata=self._metadata)
        self._writer.flush()

    def close(self) -> None:
        self._writer.close()
