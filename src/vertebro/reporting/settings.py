"""Settings of the report: how pictures are windowed and how much is shown."""

from __future__ import annotations

from dataclasses import dataclass

from vertebro.errors import SettingsError
from vertebro.settings import setting, validate


@dataclass(frozen=True, slots=True)
class ReportSettings:
    """What the report shows and how.

    Examples
    --------
    >>> ReportSettings(window_low_hu=-200.0).window_high_hu
    1300.0
    """

    language: str = setting("en", "Language of the report's words.")
    window_low_hu: float = setting(
        -300.0,
        "Value shown black in CT pictures.",
        lower=-1024.0,
        upper=1000.0,
        unit="hu",
        source="assumed: a bone window (centre 500, width 1600) narrow enough for osteoporotic bone",
    )
    window_high_hu: float = setting(
        1300.0,
        "Value shown white in CT pictures.",
        lower=-500.0,
        upper=4000.0,
        unit="hu",
        source="assumed: a bone window (centre 500, width 1600) narrow enough for osteoporotic bone",
    )
    slab_mm: float = setting(
        2.0,
        "Thickness over which pictures of a level are averaged.",
        lower=0.0,
        upper=10.0,
        unit="mm",
        source="assumed: the usual thickness of reformatted sections",
    )
    picture_width_mm: float = setting(
        92.0,
        "Width of the pictures of a level, in the patient.",
        lower=40.0,
        upper=250.0,
        unit="mm",
        source="assumed: a lumbar vertebra with its transverse processes is about 85 mm wide",
    )
    picture_height_mm: float = setting(
        116.0,
        "Height of the pictures of a level, in the patient.",
        lower=40.0,
        upper=300.0,
        unit="mm",
        source="assumed: a level with both its neighbours is about 110 mm tall",
    )
    pixel_mm: float = setting(
        0.4,
        "Distance between the pixels of a picture, in the patient.",
        lower=0.1,
        upper=2.0,
        unit="mm",
        source="assumed: finer than the pixels of a spine CT",
    )
    n_key_findings: int = setting(
        6,
        "Findings named on the first page; the rest stand in the full list.",
        lower=1,
        upper=50,
        source="assumed: as many as are read in a minute and leave the first page one page",
    )

    def __post_init__(self) -> None:
        validate(self)
        if self.window_low_hu >= self.window_high_hu:
            raise SettingsError(
                "settings.range",
                got=f"a window from {self.window_low_hu} to {self.window_high_hu} HU",
                needed="a black value below the white value",
                remedy="Swap the two or widen the window.",
                fields=("window_low_hu", "window_high_hu"),
            )
