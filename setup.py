"""The packages of the wheel: the rooms are folders at the root, and are installed inside `nnspec`."""

from setuptools import find_packages, setup

ROOMS = ["spec_lang", "runtime", "checkpoints", "specs"]

setup(
    package_dir={"nnspec": "nnspec", **{f"nnspec.{room}": room for room in ROOMS}},
    packages=[
        *find_packages(include=["nnspec", "nnspec.*"]),
        *(f"nnspec.{name}" for name in find_packages(include=[p for room in ROOMS for p in (room, f"{room}.*")])),
        "nnspec.specs",
    ],
)
