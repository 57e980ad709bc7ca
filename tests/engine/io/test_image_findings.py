"""What a volume's values and grid give away about it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vertebro.errors import ReadError
from vertebro.findings import Finding, Severity
from vertebro.imaging import ImageFacts, Volume, VolumeGeometry
from vertebro.io.image_findings import look_at

SHAPE = (60, 60, 50)


def body(seed: int = 0) -> np.ndarray:
    """A noisy cylinder of muscle with a coat of fat, in air."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(60.0) - 29.5, np.arange(60.0) - 29.5, indexing="ij")
    radius = np.hypot(x, y)[:, :, None]
    hu = np.where(radius < 20.0, 40.0, np.where(radius < 24.0, -100.0, -1000.0)) + np.zeros(SHAPE)
    return np.asarray((hu + rng.normal(0.0, 12.0, SHAPE)).astype(np.int16))


def notes(
    hu: np.ndarray, spacing: tuple[float, float, float] = (1.5, 1.5, 2.0), **facts: object
) -> list[Finding]:
    grid = VolumeGeometry.from_spacing(hu.shape, spacing)
    return list(look_at(Volume(hu, grid, replace(ImageFacts(), **facts))))


def codes(
    hu: np.ndarray, spacing: tuple[float, float, float] = (1.5, 1.5, 2.0), **facts: object
) -> list[str]:
    return [note.code for note in notes(hu, spacing, **facts)]


def test_an_ordinary_ct_raises_nothing() -> None:
    assert codes(body()) == []


@pytest.mark.parametrize(
    ("slice_mm", "severity"),
    [(3.0, None), (3.27, Severity.WARN), (5.0, Severity.WARN), (7.5, Severity.BLOCK)],
)
def test_thick_slices(slice_mm: float, severity: Severity | None) -> None:
    found = [
        note.severity for note in notes(body(), (1.0, 1.0, slice_mm)) if note.code == "image.thick_slices"
    ]

    assert found == ([] if severity is None else [severity])


def test_thick_slices_say_in_which_direction() -> None:
    note = notes(body(), (4.0, 1.2, 1.8))[0]

    assert "4.00 mm apart (along the patient's left and right)" in note.message
    assert "±2.0 mm" in note.message


def test_thick_slices_that_overlap_are_still_thick() -> None:
    (note,) = notes(body(), (1.0, 1.0, 2.0), slice_thickness_mm=5.0)

    assert (note.code, note.evidence["slice_mm"]) == ("image.thick_slices", 5.0)


def test_thin_slices_far_apart_leave_gaps() -> None:
    assert "image.unscanned_gaps" in codes(body(), (1.0, 1.0, 2.5), slice_thickness_mm=1.0)


def test_coarse_and_short_images() -> None:
    assert codes(body(), (2.0, 2.0, 2.0)) == ["image.coarse_pixels"]
    assert codes(body()[:, :, :30]) == ["image.short"]


@pytest.mark.parametrize(("ceiling", "severity"), [(1023, Severity.WARN), (3071, Severity.INFO)])
def test_values_cut_off_above(ceiling: int, severity: Severity) -> None:
    hu = body()
    rng = np.random.default_rng(1)
    hu[25:32, 25:32, 10:40] = np.minimum(rng.normal(ceiling, 300.0, (7, 7, 30)), ceiling)

    (note,) = [note for note in notes(hu) if note.code == "image.clipped"]

    assert (note.evidence["ceiling_hu"], note.severity) == (ceiling, severity)


def test_a_few_bright_voxels_are_no_ceiling() -> None:
    hu = body()
    hu[25:28, 25:28, 10] = np.array([[900, 950, 1000], [1100, 1200, 1210], [1215, 1218, 1220]])

    assert codes(hu) == []


def test_a_window_cuts_off_below() -> None:
    (note,) = [note for note in notes(np.clip(body(), -160, 240)) if note.code == "image.clipped"]

    assert note.evidence["floor_hu"] == -160


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((48, 30, 5), "on the patient's left, in the lower third of the image"),
        ((11, 30, 45), "on the patient's right, in the upper third of the image"),
        ((30, 53, 25), "in the midline, at the back, in the middle third of the image"),
    ],
)
def test_metal_is_found_and_placed(place: tuple[int, int, int], words: str) -> None:
    hu = body()
    i, j, k = place
    hu[i - 1 : i + 2, j - 1 : j + 2, k - 2 : k + 3] = 3000

    (note,) = [note for note in notes(hu) if note.code == "image.metal"]

    assert note.where == words
    assert note.evidence["volume_mm3"] == pytest.approx(45 * 4.5)
    assert (note.evidence["left_mm"], note.evidence["superior_mm"]) == (1.5 * i, 2.0 * k)


def test_metal_is_where_it_is_whichever_way_the_axes_run() -> None:
    hu = body()
    hu[47:50, 29:32, 3:8] = 3000
    grid = VolumeGeometry.from_spacing(SHAPE, (1.5, 1.5, 2.0))
    flipped = np.diag([-1.5, 1.5, 2.0, 1.0])
    flipped[0, 3] = 1.5 * 59

    one = look_at(Volume(hu, grid))
    two = look_at(Volume(hu[::-1].copy(), VolumeGeometry(SHAPE, flipped)))

    assert [note.code for note in one] == ["image.clipped", "image.metal"]
    assert one == two


def test_a_speck_of_metal_is_not_worth_telling() -> None:
    hu = body()
    hu[30, 30, 25] = 3000

    assert codes(hu) == []


def test_contrast_medium() -> None:
    assert codes(body(), contrast_agent="IOMEPROL") == ["image.contrast"]


def test_an_mr_image_does_not_look_like_ct() -> None:
    rng = np.random.default_rng(2)
    (note,) = notes(np.abs(rng.normal(100.0, 60.0, SHAPE)).astype(np.int16))

    assert (note.code, note.severity) == ("image.not_ct_like", Severity.BLOCK)


def test_values_with_an_offset_are_told_and_not_changed() -> None:
    hu = np.maximum(body() + 1024, 0).astype(np.int16)

    (note,) = notes(hu)

    assert (note.code, note.severity) == ("image.offset_values", Severity.BLOCK)


def test_a_cut_away_background() -> None:
    hu = np.zeros(SHAPE, np.float32)
    hu[20:40, 20:40, 10:40] = np.random.default_rng(3).normal(150.0, 90.0, (20, 20, 30))

    assert codes(hu) == ["image.masked_background"]


@pytest.mark.parametrize("value", [-1000, 40])
def test_an_image_without_content_is_refused(value: int) -> None:
    with pytest.raises(ReadError) as caught:
        notes(np.full(SHAPE, value, np.int16))
    assert caught.value.code == "image.empty"
