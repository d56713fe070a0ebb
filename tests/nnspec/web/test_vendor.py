"""The bundle of foreign code that is committed, and what comes with it."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnspec.web import STATIC

ROOT = Path(__file__).resolve().parents[3]
VENDOR = STATIC / "vendor"


def test_every_package_in_the_bundle_has_its_licence_beside_it_at_the_locked_version() -> None:
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = re.findall(
        r"^(@?[\w/-]+) (\d+\.\d+\.\d+)\n\n", (VENDOR / "codemirror.LICENSES.txt").read_text("utf-8"), re.M
    )
    assert {"@codemirror/view", "@codemirror/lint", "style-mod"} <= {name for name, _ in found}
    for name, version in found:
        assert locked[f"node_modules/{name}"]["version"] == version, name
    assert "resolved" not in json.dumps(locked)


def test_the_front_end_loads_nothing_from_another_host() -> None:
    for path in STATIC.rglob("*"):
        if path.suffix in (".js", ".css"):
            addresses = set(re.findall(r"https?://[\w.]+", path.read_text(encoding="utf-8")))
            assert addresses <= {"http://www.w3.org"}, path.name  # the names of SVG and XML


@pytest.mark.slow
def test_the_bundle_is_the_one_that_make_web_builds(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("there is no npm")
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run(["npm", "ci", "--silent"], cwd=tmp_path / "web", capture_output=True, text=True)
    if installed.returncode != 0:
        pytest.skip(f"npm cannot install the packages: {installed.stderr.strip()[:200]}")
    subprocess.run(["node", "build.mjs", str(tmp_path / "out")], cwd=tmp_path / "web", check=True)
    for name in ("codemirror.js", "codemirror.LICENSES.txt"):
        assert (tmp_path / "out" / name).read_bytes() == (VENDOR / name).read_bytes(), name
