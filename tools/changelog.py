"""Gather the changelog's fragments: ``python -m tools.changelog [VERSION]``.

Without a version the section is printed; with one it is written into ``CHANGELOG.md`` and the
fragments are removed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import re
import sys
from pathlib import Path

from vertebro.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
MARK = "<!-- releases below; written by tools/changelog.py -->\n"
TITLES = {
    "safety": "Safety",
    "numerics": "Numbers that changed",
    "added": "Added",
    "changed": "Changed",
    "fixed": "Fixed",
}
"""Types in the order in which a reader wants them."""


def fragments(folder: Path) -> dict[Path, str]:
    """Path and type of every fragment.

    Raises
    ------
    InputError
        For a file that is no fragment (``changelog.fragment``).
    """
    found: dict[Path, str] = {}
    for path in sorted(folder.glob("*")):
        if path.name == "README.md":
            continue
        match = re.fullmatch(r"[a-z0-9-]+\.([a-z]+)\.md", path.name)
        if not match or match.group(1) not in TITLES or not path.read_text(encoding="utf-8").strip():
            raise InputError(
                "changelog.fragment",
                got=f"the file {path.name}",
                needed=f"<what>.<type>.md with text, of type {', '.join(sorted(TITLES))}",
                remedy="Rename it, or write a sentence into it.",
            )
        found[path] = match.group(1)
    return found


def section(found: dict[Path, str], heading: str) -> str:
    """The fragments as one section of the changelog."""
    parts = [f"## {heading}\n"]
    for kind, title in TITLES.items():
        texts = [path.read_text(encoding="utf-8").strip() for path, own in found.items() if own == kind]
        if texts:
            bullets = "\n".join("- " + text.replace("\n", "\n  ") for text in texts)
            parts.append(f"### {title}\n\n{bullets}\n")
    return "\n".join(parts)


def release(root: Path, version: str, day: dt.date) -> None:
    """Write the section of a version into the changelog and remove its fragments."""
    found = fragments(root / "changelog.d")
    changelog = root / "CHANGELOG.md"
    before, after = changelog.read_text(encoding="utf-8").split(MARK)
    text = section(found, f"{version} ({day.isoformat()})")
    changelog.write_text(f"{before}{MARK}\n{text}{after}", encoding="utf-8")
    for path in found:
        path.unlink()


def main() -> int:
    """Print the section to come, or write a release."""
    parser = argparse.ArgumentParser(prog="python -m tools.changelog", description=__doc__)
    parser.add_argument("version", nargs="?")
    options = parser.parse_args()
    if options.version:
        release(ROOT, options.version, dt.datetime.now(tz=dt.UTC).date())
    else:
        print(section(fragments(ROOT / "changelog.d"), "Unreleased"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
