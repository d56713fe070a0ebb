"""What a server answers: predictions, maps, its state, its description."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnspec.cli import command_line
from nnspec.runtime.infer.network import Network
from tests.nnspec.serving.running import NPY, Running, npy, picture, running

pytest.importorskip("fastapi")
pytest.importorskip("httptools")
pytest.importorskip("python_multipart")


def test_an_array_is_answered_with_the_bits_of_predict(server: Running, network: Network, images: Any) -> None:
    for kind in (np.uint8, np.float32, np.float64):
        samples = images[:5].astype(kind)
        found = server.ask("POST", "/predict", npy(samples), NPY, accept=NPY)
        assert (found.status, found.headers["content-type"]) == (200, NPY)
        assert np.array_equal(found.array, network.predict(samples))


def test_json_is_answered_as_the_command_answers(server: Running, digits: Path, images: Any, tmp_path: Path) -> None:
    from click.testing import CliRunner

    np.save(tmp_path / "x.npy", images[:3].astype(np.float64))
    told = CliRunner().invoke(command_line, ["predict", str(digits), str(tmp_path / "x.npy"), "--json"])
    expected = json.loads(told.stdout)
    found = server.samples(images[:3].tolist()).json
    for prediction in expected["predictions"]:
        del prediction["input"]
    assert found == expected | {"warnings": found["warnings"]}


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28), (784,)])
def test_a_sample_may_have_another_shape_of_the_same_meaning(
    server: Running, network: Network, images: Any, shape: tuple[int, ...]
) -> None:
    found = server.samples(images[:1].reshape(1, *shape).tolist()).json
    expected = network.predict(images[:1].astype(np.float64))[0].tolist()
    assert found["predictions"][0]["probabilities"] == expected


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_picture_is_read_as_predict_reads_it(server: Running, digits: Path, form: str, tmp_path: Path) -> None:
    from click.testing import CliRunner

    file = tmp_path / f"one.{form.lower()}"
    file.write_bytes(picture(form=form))
    told = CliRunner().invoke(command_line, ["predict", str(digits), str(file), "--json"])
    found = server.ask("POST", "/predict", picture(form=form), f"image/{form.lower()}")
    assert found.json["predictions"][0]["probabilities"] == json.loads(told.stdout)["predictions"][0]["probabilities"]


def test_several_pictures_come_as_a_form(server: Running) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="<b>.png"\r\n\r\n%b\r\n'
    body = b"".join(part % picture(size) for size in (28, 40)) + b"--b--\r\n"
    found = server.ask("POST", "/predict", body, "multipart/form-data; boundary=b")
    assert [one["label"] for one in found.json["predictions"]] == ["1", "1"]


def test_samples_unlike_the_training_data_are_warned_of(server: Running, images: Any) -> None:
    found = server.samples((images[:1] / 255).tolist()).json
    assert "training saw 0 to 255; is it scaled to 0 to 1?" in found["warnings"][0]


def test_rows_of_a_table_are_found_by_the_names_of_columns(people: Path, tmp_path: Path) -> None:
    row = {"sex": "male", "age": 40.5, "member": True, "weight": 70, "joined": "2021-03-12", "other": {"x": 1}}
    with running(people) as server:
        found = server.samples([row, row | {"age": None, "member": "no", "sex": "unknown"}])
        assert found.status == 200
        assert [one["label"] for one in found.json["predictions"]] == ["w", "w"]
        assert '"unknown", which training did not see' in found.json["warnings"][0]
        wrong = {
            'row 0: the request has no column "age"; did you mean "aeg"?': {
                k.replace("age", "aeg"): row[k] for k in row
            },
            'row 0 of the request has no columns "age", "sex"': {k: row[k] for k in ("member", "weight", "joined")},
            'column "weight" is a string: write a number or null': row | {"weight": "heavy"},
            'column "age" is a list or an object': row | {"age": [1]},
            'column "member" holds "maybe"': row | {"member": "maybe"},
            'column "joined" holds "soon"': row | {"joined": "soon"},
        }
        for message, sample in wrong.items():
            answer = server.samples([sample])
            assert answer.status == 422, answer
            assert message in answer.error
        assert "row 1 is not an object" in server.samples([row, [1, 2]]).error


def test_occlude_answers_with_the_map_of_the_network(server: Running, network: Network, images: Any) -> None:
    import nnspec

    label = int(network.predict(images[:1]).argmax())
    asked = "/occlude?window=5&stride=4&baseline=7&scale=probability"
    found = server.ask("POST", asked, npy(images[0]), NPY).json
    expected = nnspec.occlude(network, images[:1], [label], window=5, stride=4, baseline=7)[0]
    assert np.allclose(np.array(found["map"]), expected, atol=1e-6)
    assert (found["label"], found["window"], found["stride"]) == (str(label), 5, 4)


def test_occlude_draws_the_map(server: Running, tmp_path: Path) -> None:
    found = server.ask("POST", "/occlude?label=3", picture(), "image/png", accept="image/png")
    assert found.headers["content-type"] == "image/png"
    (tmp_path / "map.png").write_bytes(found.body)
    with Image.open(tmp_path / "map.png") as drawn:
        assert drawn.width > 400


def test_health_names_the_network_and_its_file(server: Running, digits: Path) -> None:
    import hashlib

    digest = hashlib.sha256((digits / "last.h5").read_bytes()).hexdigest()
    found = server.ask("GET", "/health").json
    assert (found["ready"], found["digest"]) == (True, digest)
    assert set(found) == {"ready", "network", "digest", "version"}


def test_the_page_loads_nothing_and_its_commands_work(server: Running, tmp_path: Path) -> None:
    found = server.ask("GET", "/")
    page = found.body.decode()
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", page) == ["/openapi.json"]
    assert "<script" not in page
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("needs curl")
    (tmp_path / "picture.png").write_bytes(picture())
    (tmp_path / "samples.npy").write_bytes(npy(np.zeros((2, 28, 28, 1), np.uint8)))
    commands = [
        line.replace("&#x27;", "'").replace("&amp;", "&") for line in re.findall(r"<pre>(curl .*?)</pre>", page)
    ]
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(f"{command} --fail", shell=True, cwd=tmp_path, capture_output=True, timeout=60)
        assert done.returncode == 0, (command, done.stderr)


def test_the_answer_has_the_type_that_is_accepted(server: Running, images: Any) -> None:
    body = npy(images[:1])
    for accept, kind in {
        "*/*": "application/json",
        "text/html, application/*;q=0.5": "application/json",
        "application/octet-stream": "application/octet-stream",
        "application/json;q=0.1, application/x-npy": NPY,
    }.items():
        assert server.ask("POST", "/predict", body, NPY, accept=accept).headers["content-type"] == kind
    assert server.ask("POST", "/predict", body, NPY, accept="text/html").status == 406
