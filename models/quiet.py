"""Keeps the native lines of other libraries away from a user who can do nothing about them."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def native_stderr_kept_back() -> Iterator[None]:
    """Hold back what C and C++ code writes to stderr; shown after all if the body raises.

    TensorFlow greets with a handful of lines at import that no setting of its own turns off. Python's own
    `sys.stderr` writes to the same place, so keep the body short.
    """
    kept = _somewhere()
    if sys.stderr is None or kept is None:
        yield
        return
    sys.stderr.flush()
    terminal = os.dup(2)
    with kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except Exception:
            sys.stderr.flush()
            kept.seek(0)
            os.write(terminal, kept.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


def _somewhere() -> IO[bytes] | None:
    """A file to keep them in; None where there can be none."""
    try:
        return tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
    except OSError:
        return None
