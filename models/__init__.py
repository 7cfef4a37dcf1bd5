"""Networks, their cards and how they are run. Whatever runs a network imports from here first."""

import os

# onnxruntime reports to its makers over the network unless it is told not to before it is loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
