"""The README promises only what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = sorted(set(re.findall(r"^pointe (\w+)([^#\n]*)", README, re.MULTILINE)))


@pytest.mark.parametrize(("name", "arguments"), COMMANDS)
def test_each_pointe_command_and_flag_of_the_readme_exists(name: str, arguments: str) -> None:
    code = "import sys, pointe; sys.argv[0] = 'pointe'; pointe.main()"
    done = subprocess.run([sys.executable, "-c", code, name, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for flag in re.findall(r"--[a-z-]+", arguments):
        assert f"{flag} " in done.stdout


def test_each_file_that_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    for link in links:
        assert "://" in link or (ROOT / link).exists(), link


def test_each_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for line in re.findall(r"^make ([a-z ]+)", README, re.MULTILINE) for word in line.split()}
    assert named and named <= targets


def test_each_module_of_the_readme_can_be_run() -> None:
    for module in set(re.findall(r"python -m ([a-z_.]+)", README)):
        assert (ROOT / Path(*module.split("."))).with_suffix(".py").exists(), module
