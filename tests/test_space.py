"""The folder of a Space: what is in it, and that it runs where nothing but its own list is."""

import os
import re
import signal
import subprocess
import venv
from pathlib import Path

import pytest
import tones
import yaml
from gradio_client import Client, handle_file
from lessons import ROOT, URL

from helpers import predict
from helpers.demo import space


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "space"
    space.write(folder)
    return folder


def test_the_front_matter_is_what_a_space_reads(folder):
    readme = (folder / "README.md").read_text("utf-8")
    front = yaml.safe_load(readme.split("---")[1])
    assert front["sdk"] == "gradio" and front["license"] == "cc-by-sa-4.0"
    assert re.fullmatch(r"6\.\d+\.\d+", front["sdk_version"])
    assert re.fullmatch(r"3\.1[1-3]", front["python_version"])
    assert (folder / front["app_file"]).is_file()
    assert len(front["short_description"]) <= 60  # what the Hub allows
    assert front["title"] and front["emoji"] and URL in readme


def test_it_holds_the_model_its_card_and_little_else(folder):
    files = space.write(folder)
    assert {"app.py", "requirements.txt", "README.md", ".gitattributes"} <= set(files)
    assert {"data/pretrained/cat_dog_cnn.tflite", "data/pretrained/cat_dog_cnn.json"} <= set(files)
    assert sum(name.startswith("helpers/") for name in files) < 10
    large = [
        name
        for name in files
        if not name.endswith((".json", ".py")) and (folder / name).stat().st_size > 20_000
    ]
    tracked = re.findall(r"^\*(\.\w+) filter=lfs", (folder / ".gitattributes").read_text(), re.M)
    assert large and {Path(name).suffix for name in large} <= set(tracked)
    listed = (folder / "requirements.txt").read_text("utf-8")
    assert "gradio" in listed and "tensorflow" not in listed
    for line in listed.splitlines():
        assert line in (ROOT / "requirements.txt").read_text("utf-8")


def test_a_working_copy_stays_and_other_folders_are_refused(folder, tmp_path):
    (folder / ".git").mkdir(exist_ok=True)
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "examples" / "old.flac").write_text("")
    assert ".git/HEAD" not in space.write(folder)
    assert (folder / ".git" / "HEAD").is_file() and not (folder / "examples" / "old.flac").exists()
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ValueError, match="something else"):
        space.write(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_yamnet_is_not_ours_to_publish(tmp_path):
    with pytest.raises(ValueError, match="YAMNet's is others'"):
        space.write(tmp_path / "space", "yamnet")
    assert not list(tmp_path.iterdir())


def test_the_command_says_how_to_publish(tmp_path, capsys):
    space.main([str(tmp_path / "space")])
    assert "hf upload" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no such model"):
        space.main([str(tmp_path / "space"), "--model", str(tmp_path / "none.tflite")])


@pytest.mark.space
def test_it_runs_in_an_environment_of_its_own(tmp_path):
    space.write(tmp_path / "space")
    venv.create(tmp_path / "venv", with_pip=True)
    python = next((tmp_path / "venv").glob("[bS]*/python*"))
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    requirements = tmp_path / "space" / "requirements.txt"
    subprocess.run([*pip, "install", "--quiet", "-r", requirements], check=True)
    installed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    assert "gradio==" in installed
    assert not re.search(r"^(tensorflow|keras|librosa|barks)", installed, re.M)

    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GRADIO"))}
    server = subprocess.Popen(
        [python, "app.py"],
        cwd=tmp_path / "space",
        env=env | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = server.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, f"it said {line!r}"
        client = Client(address[0], verbose=False, analytics_enabled=False, download_files=False)
        clip = tmp_path / "space" / "examples" / "Both.flac"
        got = client.predict(handle_file(clip), api_name="/predict")
        expected = predict.Classifier.load().predict(clip)
        assert got["label"] == expected.label
        assert got["probabilities"] == pytest.approx(expected.probabilities, abs=1e-4)
        silent = client.predict(
            handle_file(tones.write(tmp_path / "a.wav", 0)), api_name="/predict"
        )
        assert silent["reason"].startswith("silence")
        client.close()
    finally:
        server.send_signal(signal.SIGTERM)
        status = server.wait(20)
    assert status == 0
    assert not [path for path in temporary.rglob("*") if path.is_file()]


def test_another_programs_app_is_refused_and_left_alone(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "db.txt").write_text("mine")
    (tmp_path / "app.py").write_text("import flask\n")
    with pytest.raises(ValueError, match="something else"):
        space.write(tmp_path)
    assert (tmp_path / "data" / "db.txt").read_text() == "mine"
