#!/bin/sh
# Makes .venv and installs pointe into it; gets the system libraries that OpenCV's windows need where it may.
# usage: sh scripts/setup.sh REQUIREMENT     (".", or ".[train,dev]")
set -eu
python=${PYTHON:-python3}
libraries="libgl1 libglib2.0-0 libsm6"

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "pointe needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || true)." >&2
    echo "Name another one: make PYTHON=python3.12" >&2
    exit 2
fi
if ! [ -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    if ! "$python" -m venv .venv; then
        echo "No virtual environment could be made. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2
        exit 2
    fi
fi
echo "Installing pointe and what it needs into .venv (some minutes the first time) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check -e "$1"

# OpenCV's wheel links the X and GL libraries of the system, and Qt loads libSM when a window opens.
usable() { .venv/bin/python -c 'import ctypes, sys, cv2; sys.platform != "linux" or ctypes.CDLL("libSM.so.6")' 2>/dev/null; }
if ! usable; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing the system libraries for OpenCV's windows: $libraries"
        (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $libraries) \
            >/dev/null || true
    fi
    if ! usable; then
        echo "OpenCV's windows need system libraries. Type: sudo apt-get install $libraries" >&2
    fi
    if ! .venv/bin/python -c 'import cv2' 2>/dev/null; then
        # Without them OpenCV does not even import; its build without windows does, and runs everything headless.
        version=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("opencv-python"))')
        echo "Going on without windows: using opencv-python-headless $version until they are there (then: make clean)." >&2
        .venv/bin/python -m pip uninstall --quiet --yes opencv-python
        .venv/bin/python -m pip install --quiet --disable-pip-version-check "opencv-python-headless==$version"
    fi
fi
