#!/bin/sh
# Makes .venv and installs pointe into it; gets the system packages that it needs where it may.
# usage: sh scripts/setup.sh REQUIREMENT     (".", or ".[train,dev]")
set -eu
python=${PYTHON:-python3}
libraries="libgl1 libglib2.0-0 libsm6"

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
apt_install() {
    (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@") >/dev/null
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "pointe needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || true)." >&2
    echo "Name another one: make PYTHON=python3.12" >&2
    exit 2
fi
if ! [ -x .venv/bin/python ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    if ! "$python" -c 'import ensurepip' 2>/dev/null && may_install; then
        venv=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        echo "Installing the system package $venv"
        apt_install "$venv" || true
    fi
    if ! said=$("$python" -m venv .venv 2>&1); then
        if ! "$python" -c 'import ensurepip' 2>/dev/null; then
            echo "No virtual environment could be made. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2
        else
            echo "No virtual environment could be made: $said" >&2
        fi
        exit 2
    fi
fi
pip() { .venv/bin/python -m pip "$@" --quiet --disable-pip-version-check; }
version_of() { .venv/bin/python -c 'import sys; from importlib.metadata import version; print(version(sys.argv[1]))' "$1" 2>/dev/null; }

echo "Installing pointe and what it needs into .venv (some minutes the first time) ..."
# Both builds of OpenCV own the same folder: where the one without windows is, both go and one comes back whole.
if version_of opencv-python-headless >/dev/null; then
    pip uninstall --yes opencv-python opencv-python-headless 2>/dev/null
fi
pip install -e "$1"

# OpenCV's wheel links the X and GL libraries of the system, and Qt loads libSM when a window opens.
usable() { .venv/bin/python -c 'import ctypes, sys, cv2; cv2.VideoCapture; sys.platform != "linux" or ctypes.CDLL("libSM.so.6")' 2>/dev/null; }
if ! usable; then
    if may_install; then
        echo "Installing the system libraries for OpenCV's windows: $libraries"
        apt_install $libraries || true
    fi
    if ! usable; then
        echo "OpenCV's windows need system libraries. Type: sudo apt-get install $libraries" >&2
    fi
    if ! .venv/bin/python -c 'import cv2; cv2.VideoCapture' 2>/dev/null; then
        # Without them OpenCV does not even import; its build without windows does, and runs everything headless.
        version=$(version_of opencv-python)
        echo "Going on without windows: using opencv-python-headless $version until they are there (then: rm -r .venv)." >&2
        pip uninstall --yes opencv-python
        pip install "opencv-python-headless==$version"
    fi
fi
