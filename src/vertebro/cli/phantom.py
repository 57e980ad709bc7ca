"""``vertebro phantom``: a synthetic patient with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vertebro.cli.arguments import QuietOption, parse_levels
from vertebro.cli.console import errors_in_words, progress_shown, say, show


def phantom(
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to write it.")],
    levels: Annotated[
        str, typer.Option("--levels", metavar="T10-S1", help="First and last level, or a list with commas.")
    ] = "T10-S1",
    fracture: Annotated[
        list[str] | None,
        typer.Option(
            "--fracture",
            "-f",
            metavar="L1:wedge:35",
            help="Level, shape (wedge, biconcave, crush) and height loss in percent; may be given again. "
            "':cleft' at the end adds a gas-filled cleft. 'none' makes an unbroken spine.",
        ),
    ] = None,
    spacing: Annotated[
        str, typer.Option("--spacing", metavar="MM", help="Voxel size: one number, or three with commas.")
    ] = "0.8,0.8,1",
    bmd: Annotated[float, typer.Option("--bmd", help="Trabecular mineral density, mg/cc.")] = 90.0,
    noise: Annotated[float, typer.Option("--noise", help="Noise, HU.")] = 18.0,
    seed: Annotated[int, typer.Option("--seed", help="Seed of everything random.")] = 0,
    dicom: Annotated[bool, typer.Option("--dicom", help="Write a DICOM series too.")] = False,
    quiet: QuietOption = False,
) -> None:
    """Make a synthetic spine CT with labels and the truth about it."""
    with errors_in_words():
        from vertebro.phantoms import PhantomSettings, make_phantom
        from vertebro.workflow.phantom_files import write_phantom

        settings = PhantomSettings(
            levels=parse_run(levels),
            fractures=tuple(parse_fracture(text) for text in fracture or ["L1:wedge:35"] if text != "none"),
            spacing_mm=parse_spacing(spacing),
            trabecular_bmd_mg_cc=bmd,
            noise_hu=noise,
            seed=seed,
        )
        with progress_shown(quiet=quiet) as progress:
            made = make_phantom(settings, progress=progress)
            progress(0.95, "writing files")
            written = write_phantom(folder, made, as_dicom=dicom)
        for path in written:
            show(str(path))
        say(f"For its report: vertebro run {folder}/ct.nii.gz --labels {folder}/labels.nii.gz -o CASE")


def parse_run(text: str) -> tuple[str, ...]:
    """Levels from ``"T12-L2"`` or ``"T12,L1,L2"``.

    Raises
    ------
    SettingsError
        If a name is no level (``level.name``), or the run goes upwards (``phantom.levels``).

    Examples
    --------
    >>> parse_run("T12-L2")
    ('T12', 'L1', 'L2')
    """
    from vertebro.case import Level
    from vertebro.errors import SettingsError

    if "-" not in text:
        return parse_levels(text)
    ends = parse_levels(text.replace("-", ",", 1))
    usual = [level.value for level in Level if level.value not in ("T13", "L6", "coccyx")]
    if len(ends) != 2 or not all(end in usual for end in ends) or usual.index(ends[0]) > usual.index(ends[1]):
        raise SettingsError(
            "phantom.levels",
            got=f"the levels {text[:30]!r}",
            needed="the first and the last level, from cranial to caudal",
            remedy="For example --levels T10-S1.",
            fields=("levels",),
        )
    return tuple(usual[usual.index(ends[0]) : usual.index(ends[1]) + 1])


def parse_fracture(text: str):  # type: ignore[no-untyped-def]
    """A fracture from ``"L1:wedge:35"`` or ``"L1:wedge:35:cleft"``.

    Raises
    ------
    SettingsError
        If the text has other parts (``phantom.fracture``).

    Examples
    --------
    >>> parse_fracture("L1:crush:30:cleft").cleft
    True
    """
    from vertebro.case import parse_level
    from vertebro.errors import SettingsError
    from vertebro.phantoms import Fracture

    parts = text.split(":")
    try:
        has_cleft = parts[3:] == ["cleft"]
        if len(parts) not in (3, 4) or (len(parts) == 4 and not has_cleft):
            raise ValueError
        return Fracture(parse_level(parts[0]).value, parts[1], float(parts[2]), cleft=has_cleft)
    except SettingsError:
        raise
    except ValueError as problem:
        raise SettingsError(
            "phantom.fracture",
            got=f"the fracture {text[:40]!r}",
            needed="LEVEL:SHAPE:LOSS, perhaps with :cleft",
            remedy="For example --fracture L1:wedge:35.",
            fields=("fracture",),
        ) from problem


def parse_spacing(text: str) -> tuple[float, float, float]:
    """Voxel size from ``"1"`` or ``"0.8,0.8,1"``.

    Raises
    ------
    SettingsError
        If that is not one or three numbers (``phantom.spacing``).

    Examples
    --------
    >>> parse_spacing("2")
    (2.0, 2.0, 2.0)
    """
    from vertebro.errors import SettingsError

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 3):
        raise SettingsError(
            "phantom.spacing",
            got=f"the spacing {text[:30]!r}",
            needed="one number of millimetres, or three with commas",
            remedy="For example --spacing 1 or --spacing 0.8,0.8,1.",
            fields=("spacing",),
        )
    x, y, z = numbers * 3 if len(numbers) == 1 else numbers
    return (x, y, z)
