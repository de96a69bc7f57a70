"""`make address` writes the course's address where it is needed, and changes nothing else."""

import shutil

import address
import lessons
import pytest
import test_hygiene
from lessons import ROOT, URL

OTHER = "https://github.com/someone.else/my-course_2"


@pytest.fixture
def course(tmp_path):
    """A copy of the files that hold the address."""
    (tmp_path / "notebooks").mkdir()
    for path in [ROOT / "README.md", ROOT / "pyproject.toml", *lessons.PATHS]:
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return tmp_path


def move(course, url):
    pyproject = course / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8").replace(f'"{URL}"', f'"{url}"')
    assert f'"{url}"' in text
    pyproject.write_text(text, encoding="utf-8")


def contents(course):
    files = [course / "README.md", *sorted(course.glob("notebooks/*"))]
    return {path.name: path.read_bytes() for path in files}


def test_no_file_here_names_another_address(course, capsys):
    before = contents(course)
    assert address.main(["--root", str(course)]) == 0
    assert contents(course) == before
    assert f"The course is at {URL}\n  as every file says already\n" == capsys.readouterr().out


def test_another_address_is_written_everywhere_and_nothing_else_changes(
    course, capsys, monkeypatch
):
    before = contents(course)
    move(course, OTHER)
    assert address.main(["--root", str(course)]) == 0
    after = contents(course)
    assert set(capsys.readouterr().out.split()) >= {"README.md", "notebooks/01_waveforms.ipynb"}
    names = [url.removeprefix("https://github.com/") for url in (URL, OTHER)]
    old, new = (name.encode() for name in names)
    site, moved = (name.replace("/", ".github.io/").encode() for name in names)
    assert moved in after["README.md"]
    for name, text in after.items():
        assert old not in text and site not in text
        assert text.replace(new, old).replace(moved, site) == before[name]
    # What the rules of the lessons ask for, had the course this address
    monkeypatch.setattr(test_hygiene, "SETUP", test_hygiene.SETUP.replace(URL, OTHER))
    monkeypatch.setattr(test_hygiene, "URL", OTHER)
    for path in sorted(course.glob("notebooks/*.ipynb")):
        lesson = lessons.read(path)
        assert test_hygiene.setup_cell(lesson) + test_hygiene.colab_badge(lesson) == []
        lesson = lessons.read(ROOT / "notebooks" / path.name)
        assert test_hygiene.setup_cell(lesson) and test_hygiene.colab_badge(lesson)
    readme = (course / "README.md").read_text(encoding="utf-8")
    assert test_hygiene.readme_gaps(readme, lessons.STEMS) == []


@pytest.mark.parametrize("url", [f"{OTHER}.git", f"{OTHER}/", "https://example.org/a/b"])
def test_an_address_that_colab_cannot_open_is_refused(course, capsys, url):
    before = contents(course)
    move(course, url)
    assert address.main(["--root", str(course)]) == 2
    assert "https://github.com/OWNER/NAME" in capsys.readouterr().err
    assert contents(course) == before
