"""The changelog's fragments."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tools.changelog import MARK, TITLES, fragments, release, section
from vertebro.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def test_every_fragment_of_the_project_is_well_formed() -> None:
    found = fragments(ROOT / "changelog.d")

    assert set(found.values()) <= set(TITLES)


def test_the_readme_explains_every_type() -> None:
    text = (ROOT / "changelog.d" / "README.md").read_text(encoding="utf-8")

    assert [kind for kind in TITLES if f"| `{kind}` |" not in text] == []


@pytest.mark.parametrize("name", ["notes.txt", "thing.improved.md", "thing.md", "Thing.added.md"])
def test_a_badly_named_fragment_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Text.", encoding="utf-8")

    with pytest.raises(InputError, match=r"Needed: <what>\.<type>\.md"):
        fragments(tmp_path)


def test_an_empty_fragment_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thing.added.md").write_text(" \n", encoding="utf-8")

    with pytest.raises(InputError):
        fragments(tmp_path)


def test_section_puts_safety_first_and_keeps_long_lines_together(tmp_path: Path) -> None:
    (tmp_path / "a.added.md").write_text("New.\nAnd useful.\n", encoding="utf-8")
    (tmp_path / "b.safety.md").write_text("Careful.\n", encoding="utf-8")

    text = section(fragments(tmp_path), "1.0")

    assert text == "## 1.0\n\n### Safety\n\n- Careful.\n\n### Added\n\n- New.\n  And useful.\n"


def test_a_release_moves_the_fragments_into_the_changelog(tmp_path: Path) -> None:
    folder = tmp_path / "changelog.d"
    folder.mkdir()
    (folder / "README.md").write_text("how", encoding="utf-8")
    (folder / "b.fixed.md").write_text("Right again.\n", encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n{MARK}\n## 0.1.0\n", encoding="utf-8")

    release(tmp_path, "0.2.0", dt.date(2030, 1, 2))

    expected = f"# Changelog\n\n{MARK}\n## 0.2.0 (2030-01-02)\n\n### Fixed\n\n- Right again.\n\n## 0.1.0\n"
    assert (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8") == expected
    assert [path.name for path in folder.iterdir()] == ["README.md"]
