"""The arrows of the architecture: which room may import which, and that its parts are light."""

import subprocess
import sys

import pytest

from tests.support.imports import ROOMS, ROOT, Import, imports, imports_of, modules

MAY_IMPORT = {
    "spec_lang": {"spec_lang"},
    "checkpoints": {"checkpoints"},
    "runtime": {"runtime", "spec_lang", "checkpoints"},
    "nnspec": set(ROOMS),
}
"""The rooms that each room may import; runtime imports checkpoints in two modules only, see below."""

FLOORS = {
    "spec_lang": ("", "report", "syntax", "vocabulary", "check", "editor"),
    "runtime": ("", "data", "compiler", "execute", "infer", "explain", "train", "sweep", "views"),
}
"""Inside a room, lowest first: a package imports from its own floor and from below.

"" has the modules that are directly in the room, and every package that is not named here: in runtime the arithmetic
(layers, losses, optimizers, schedules, initializers, metrics) and what it shares.
"""

READS_NO_DATA = ("compiler", "execute")
"""These floors of runtime are above data and may not import it: they compute on arrays."""


def room_of(module: str) -> str:
    """Return the room of a module of ours: nnspec.runtime.train.step is in runtime, nnspec.api in nnspec."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "nnspec"


def floor_of(module: str) -> str:
    """Return the floor of a module inside its room."""
    parts = module.split(".")
    return parts[2] if len(parts) > 2 and parts[2] in FLOORS[parts[1]] else ""


def runs_upwards(found: Import) -> bool:
    """Return whether an import inside one room goes to a higher floor."""
    room = room_of(found.importer)
    if room not in FLOORS or room_of(found.imported) != room:
        return False
    importer, imported = floor_of(found.importer), floor_of(found.imported)
    order = FLOORS[room]
    reads_data = room == "runtime" and importer in READS_NO_DATA and imported == "data"
    return reads_data or order.index(imported) > order.index(importer)


def ours() -> list[Import]:
    return [found for found in imports() if found.imported.split(".")[0] == "nnspec"]


def test_imports_between_rooms_run_one_way() -> None:
    wrong = [f for f in ours() if room_of(f.imported) not in MAY_IMPORT[room_of(f.importer)]]
    # The rooms are inside nnspec; what spec_lang, runtime and checkpoints must not import is nnspec's own modules.
    assert [f"{f.place} imports {f.imported}" for f in wrong if f.imported != "nnspec"] == []


def test_imports_inside_a_room_run_down_its_floors() -> None:
    assert [f"{f.place} imports {f.imported}" for f in filter(runs_upwards, ours())] == []


def test_every_floor_exists() -> None:
    packages = {module.rpartition(".")[0] for module in modules()}
    named = {f"nnspec.{room}.{floor}".rstrip(".") for room, floors in FLOORS.items() for floor in floors}
    assert named - packages == set()


def test_runtime_meets_the_checkpoints_at_two_doors_one_for_networks_and_one_for_runs() -> None:
    doors = {f.importer for f in ours() if room_of(f.importer) == "runtime" and room_of(f.imported) == "checkpoints"}
    assert doors == {"nnspec.runtime.infer.network_file", "nnspec.runtime.train.checkpointing"}


def test_a_room_is_imported_by_its_installed_name() -> None:
    outside = {*ROOMS, "specs", "tests", "tools", "benchmarks"} - {"nnspec"}
    wrong = [f"{f.place} imports {f.imported}" for f in imports() if f.imported.split(".")[0] in outside]
    assert wrong == []


def test_the_language_needs_no_arrays() -> None:
    heavy = {"numpy", "h5py", "matplotlib"}
    wrong = [f for f in imports() if room_of(f.importer) == "spec_lang" and f.imported.split(".")[0] in heavy]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("import nnspec.runtime.registry", "nnspec.runtime.registry"),
        ("from nnspec.runtime import registry", "nnspec.runtime.registry"),
        ("from nnspec.runtime.registry import Registry", "nnspec.runtime.registry"),
        ("from .. import registry", "nnspec.runtime.registry"),
        ("from ..registry import Registry", "nnspec.runtime.registry"),
        ("def late():\n    from . import losses", "nnspec.runtime.compiler.kernels.losses"),
        ('import_module("nnspec.runtime.registry")', "nnspec.runtime.registry"),
        ('import_module("..registry", __package__)', "nnspec.runtime.registry"),
        ('LAZY = {"compile": "nnspec.api"}', "nnspec.api"),
        ('import_module(f"nnspec.runtime.layers.{name}")', "nnspec.runtime.layers"),
    ],
)
def test_an_import_is_seen_in_every_form(text: str, name: str) -> None:
    package = "nnspec.runtime.compiler.kernels" if "losses" in text else "nnspec.runtime.compiler"
    assert name in [imported for imported, _ in imports_of(text, package, is_package=True)]


def test_a_text_that_is_not_a_module_is_not_an_import() -> None:
    assert list(imports_of('x = "nnspec"; y = "a.b"; z = "nnspec.toml"', "nnspec.api")) == []


def modules_after(code: str) -> set[str]:
    """Return the names of the modules that a program has loaded."""
    program = f"import sys; {code}; print(*sys.modules)"
    return set(
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout.split()
    )


def test_importing_nnspec_imports_nothing_heavy() -> None:
    heavy = {"numpy", "pydantic", "h5py", "lark", "matplotlib", "click", "pooch", "tqdm", "PIL"}
    assert modules_after("import nnspec") & heavy == set()


def test_checking_a_spec_imports_no_numpy() -> None:
    code = "from nnspec.spec_lang.check.examination import check_source; from nnspec.spec_lang.source import Source; "
    code += "check_source(Source('x', 'input 4 -> dense 2 softmax'))"
    assert modules_after(code) & {"numpy", "h5py", "matplotlib"} == set()
