"""Run every validation: ``python -m validation [NAME …]``.

Each module ``validate_<subject>.py`` has ``TITLE``, ``SOURCE`` (a citation), ``ACCEPTANCE`` (the band, in
words), ``validate(folder) -> Study`` and, where it needs images that are not shipped, ``is_available()``.
The page ``docs/validation/<subject>.md`` is written from it,
with its plots beside it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from validation.study import Study, page

MODULES = Path(__file__).parent
PAGES = MODULES.parent / "docs" / "validation"


def main() -> int:
    """Run, print a line for each, write the pages; 1 if a result lies outside its band."""
    parser = argparse.ArgumentParser(prog="python -m validation", description=__doc__)
    parser.add_argument("names", nargs="*", help="only validations whose name holds one of these")
    parser.add_argument("--output", type=Path, default=PAGES, help="folder for the pages")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    n_outside = n_run = 0
    for path in sorted(MODULES.glob("validate_*.py")):
        subject = path.stem.removeprefix("validate_").replace("_", "-")
        if options.names and not any(name in subject for name in options.names):
            continue
        module = importlib.import_module(f"validation.{path.stem}")
        if not getattr(module, "is_available", lambda: True)():
            print(f"{subject}: skipped, its data is not here; the page stays as it is")
            continue
        study: Study = module.validate(options.output)
        text = page(module.TITLE, module.SOURCE, module.ACCEPTANCE, study)
        (options.output / f"{subject}.md").write_text(text, encoding="utf-8")
        n_run += 1
        n_outside += not study.is_accepted
        print(f"{subject}: {'within' if study.is_accepted else 'OUTSIDE'} its band")
    print(f"{n_run} validations, {n_outside} outside their band; pages in {options.output}")
    return int(n_outside > 0)


if __name__ == "__main__":
    sys.exit(main())
