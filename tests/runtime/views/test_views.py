"""The gallery and how pictures are saved."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import nnspec.runtime.views
from nnspec.runtime.train.history import RunHistory
from nnspec.runtime.views import PICTURES, STYLES, PictureError, in_style, save_figure

METRICS = {"train_loss": ([1, 2, 3], [2.0, 1.0, 0.5]), "validation_accuracy": ([1, 2, 3], [0.1, 0.7, 0.6])}
HISTORY = [RunHistory("a_run", METRICS)]


@pytest.fixture
def spiral(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A picture in a file that nothing lists."""
    (tmp_path / "spiral.py").write_text(
        "from matplotlib.figure import Figure\n"
        "from nnspec.runtime.views import picture\n\n"
        "@picture('spiral')\n"
        "def spiral(turns):\n"
        "    figure = Figure()\n"
        "    figure.suptitle(f'{turns} turns')\n"
        "    return figure\n"
    )
    monkeypatch.setattr(nnspec.runtime.views, "__path__", [*nnspec.runtime.views.__path__, str(tmp_path)])
    yield "spiral"
    sys.modules.pop("nnspec.runtime.views.spiral", None)
    nnspec.runtime.views._drawers.pop("spiral", None)
    if hasattr(nnspec.runtime.views, "spiral"):
        del nnspec.runtime.views.spiral


def test_a_new_file_is_a_new_picture_and_no_list_is_touched(spiral: str) -> None:
    before = len(PICTURES)
    assert spiral in list(PICTURES)
    assert len(PICTURES) == before
    assert PICTURES[spiral](3).get_suptitle() == "3 turns"


def test_each_module_of_the_gallery_draws_the_picture_of_its_own_name() -> None:
    assert {"confusion", "curves", "occlusion", "weights"} <= set(PICTURES)
    for name in PICTURES:
        assert PICTURES[name].__module__ == f"nnspec.runtime.views.{name}"


def test_what_is_no_picture_is_not_in_the_gallery() -> None:
    assert "portrait" not in PICTURES
    assert "_style" not in PICTURES


def test_names_are_known_without_matplotlib_and_drawing_needs_no_pyplot() -> None:
    program = (
        "import sys\n"
        "from nnspec.runtime.views import PICTURES\n"
        "assert 'curves' in list(PICTURES) and 'matplotlib' not in sys.modules\n"
        "from nnspec.runtime.train.history import RunHistory\n"
        "PICTURES['curves']([RunHistory('a', {'loss': ([1, 2], [2.0, 1.0])})])\n"
        "print(*(name in sys.modules for name in ('matplotlib', 'matplotlib.pyplot', "
        "'nnspec.runtime.views.weights')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True False False\n", "")


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_the_suffix_chooses_the_format_and_the_same_picture_is_the_same_bytes(
    tmp_path: Path, suffix: str, begins: bytes
) -> None:
    first, second = (
        save_figure(PICTURES["curves"](HISTORY), tmp_path / f"{name}{suffix}").read_bytes() for name in "ab"
    )
    assert first == second
    assert first.startswith(begins)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_saved_picture_tells_neither_the_day_nor_the_version(tmp_path: Path, suffix: str) -> None:
    written = save_figure(PICTURES["curves"](HISTORY), tmp_path / f"curves{suffix}").read_bytes()
    for word in (b"CreationDate", b"dc:date", b"Software", b"Producer", matplotlib.__version__.encode()):
        assert word not in written


def test_the_users_own_style_changes_no_picture_and_is_left_as_it_was(tmp_path: Path) -> None:
    plain = save_figure(PICTURES["curves"](HISTORY), tmp_path / "plain.png").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 20}):
        other = save_figure(PICTURES["curves"](HISTORY), tmp_path / "other.png").read_bytes()
        assert matplotlib.rcParams["font.size"] == 30
    assert other == plain


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert save_figure(Figure(), tmp_path / "runs" / "a" / "pictures" / "empty.png").is_file()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("curves.gif", "'curves.gif' ends in .gif, and pictures are written as .png, .svg, .pdf: use curves.png"),
        ("curves", "'curves' has no suffix, and pictures are written as .png, .svg, .pdf: use curves.png"),
    ],
)
def test_another_suffix_is_refused_with_what_would_do(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(PictureError, match=message) as caught:
        save_figure(Figure(), tmp_path / "new" / name)
    assert isinstance(caught.value, ValueError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_style_is_kept_until_the_picture_is_saved(tmp_path: Path, style: str, suffix: str) -> None:
    with in_style(style):
        figure = PICTURES["curves"](HISTORY)
        inside = save_figure(figure, tmp_path / f"inside{suffix}").read_bytes()
    with in_style(style):
        later = PICTURES["curves"](HISTORY)
    assert save_figure(later, tmp_path / f"later{suffix}").read_bytes() == inside


def test_the_styles_differ_in_paper_ink_and_size() -> None:
    looks = {}
    for style in STYLES:
        with in_style(style):
            figure = PICTURES["curves"](HISTORY)
        looks[style] = to_rgb(figure.get_facecolor()), figure.axes[0].title.get_color(), figure.get_dpi()
    assert len(set(looks.values())) == 3
    assert sum(looks["dark"][0]) < 0.5 and sum(looks["light"][0]) == 3
    assert looks["paper"][2] == 300


def test_a_style_that_there_is_not_is_refused() -> None:
    with pytest.raises(PictureError, match="no style is called 'neon': use light, dark or paper"), in_style("neon"):
        pass
