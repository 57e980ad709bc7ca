"""Real CTs come in with the right orientation and the right findings.

Where organs lie was read off pictures of each volume once; here a sample of the values at such
places stands for looking again.
"""

from __future__ import annotations

import numpy as np
import pytest

from real_data import real_data
from vertebro.findings import Severity
from vertebro.imaging import Volume, sample_at
from vertebro.io import list_series, read_ct

pytestmark = pytest.mark.real_data


def codes(volume: Volume) -> list[str]:
    return sorted(note.code for note in volume.findings)


def share_of_soft_tissue(volume: Volume, centre: tuple[float, float, float], radius_mm: float) -> float:
    """Share of values from 20 to 180 HU (unenhanced or enhanced organs) within a cube round a point."""
    offsets = np.linspace(-radius_mm, radius_mm, 13)
    cube = np.stack(np.meshgrid(offsets, offsets, offsets, indexing="ij"), axis=-1) + centre
    values = sample_at(volume.hu, volume.geometry, cube)
    return float(np.mean((values > 20.0) & (values < 180.0)))


def body_centre(volume: Volume) -> np.ndarray:
    """Mean position of everything denser than fat in the middle slices, in LPS mm."""
    step = 4
    middle = volume.hu[::step, ::step, volume.shape[2] // 2 - 2 : volume.shape[2] // 2 + 3]
    index = np.argwhere(middle > -200).mean(axis=0) * [step, step, 1.0] + [0, 0, volume.shape[2] // 2 - 2]
    return np.asarray(volume.lps_from_voxel @ [*index, 1.0])[:3]


def bone_behind_mm(volume: Volume) -> float:
    """How far behind the middle of the body its densest voxels near the midline lie: the spine's place."""
    centre = body_centre(volume)
    index = np.argwhere(volume.hu[::4, ::4, volume.shape[2] // 2] > 350) * 4
    points = index @ volume.lps_from_voxel[:3, :2].T + volume.lps_from_voxel[:3, 3]
    near = points[np.abs(points[:, 0] - centre[0]) < 30.0]
    return float(np.median(near[:, 1]) - centre[1])


def test_thorax_slices_in_any_order_of_names() -> None:
    volume = read_ct(real_data("thorax-dicom"))

    assert volume.shape == (512, 512, 110)
    assert volume.spacing_mm == pytest.approx((0.78125, 0.78125, 1.0), abs=1e-4)
    assert volume.geometry.axis_codes == "LPS"
    assert (volume.facts.kernel, volume.facts.manufacturer, volume.facts.n_slices) == ("D", "Philips", 110)
    assert len(set(volume.facts.sop_instance_uids)) == 110
    assert codes(volume) == ["dicom.frames_differ"]


def test_thorax_has_its_liver_on_the_right_and_its_heart_on_the_left() -> None:
    volume = read_ct(real_data("thorax-dicom"))
    x, y, z = body_centre(volume)

    assert share_of_soft_tissue(volume, (x - 70.0, y, z - 20.0), 25.0) > 0.8
    assert share_of_soft_tissue(volume, (x + 100.0, y + 40.0, z), 15.0) < 0.2
    assert bone_behind_mm(volume) > 20.0


def test_compressed_abdomen_is_short_and_contrasted() -> None:
    volume = read_ct(real_data("abdomen-dicom-jpeg2000"))

    assert volume.shape == (512, 512, 20)
    assert volume.spacing_mm == pytest.approx((0.9765625, 0.9765625, 2.0))
    assert (volume.facts.slice_thickness_mm, volume.facts.kernel) == (3.0, "Br38f")
    assert volume.facts.sop_instance_uids == ()
    assert codes(volume) == ["image.contrast", "image.short"]
    k = round(float((volume.geometry.voxel_from_lps @ [0.0, 0.0, -766.5, 1.0])[2]))
    assert int(volume.hu[:, :, k].max()) == 2460 - 1024  # that slice's header gives its largest stored value


def test_compressed_abdomen_has_its_liver_on_the_right() -> None:
    volume = read_ct(real_data("abdomen-dicom-jpeg2000"))
    x, y, z = body_centre(volume)

    right = share_of_soft_tissue(volume, (x - 80.0, y - 20.0, z), 15.0)
    left = share_of_soft_tissue(volume, (x + 50.0, y - 80.0, z), 15.0)
    assert right > 0.95
    assert left < 0.8
    assert bone_behind_mm(volume) > 20.0


def test_series_of_slices_without_identifiers_is_listed_as_one() -> None:
    (info,) = list_series(real_data("abdomen-dicom-jpeg2000"))

    assert (info.n_slices, info.slice_spacing_mm, info.kernel_kind, info.is_chosen) == (20, 2.0, "soft", True)


def test_chest_with_thick_slices_has_its_liver_on_the_right() -> None:
    volume = read_ct(real_data("chest-abdomen-with-scout", "ct.nii.gz"))
    low = volume.geometry.corners_lps_mm[:, 2].min()
    x, y, _ = body_centre(volume)

    (note,) = volume.findings
    assert (note.code, note.severity, note.evidence["slice_mm"]) == (
        "image.thick_slices",
        Severity.WARN,
        3.27,
    )
    right = share_of_soft_tissue(volume, (x - 70.0, y, low + 100.0), 25.0)
    left = share_of_soft_tissue(volume, (x + 70.0, y, low + 100.0), 25.0)
    assert right > 0.8
    assert left < 0.7
    assert bone_behind_mm(volume) > 20.0


def test_fractured_spine_is_read_without_complaint() -> None:
    volume = read_ct(real_data("verse012-L1-fracture", "ct.nii.gz"))

    assert (volume.shape, volume.geometry.axis_codes) == ((35, 194, 252), "LPS")
    assert [note for note in volume.findings if note.severity is not Severity.INFO] == []


def test_metal_is_at_the_left_hip() -> None:
    volume = read_ct(real_data("abdomen-3mm", "ct.nii.gz"))

    (note,) = [note for note in volume.findings if note.code == "image.metal"]
    assert note.where == "on the patient's left, in the lower third of the image"
    assert note.evidence["volume_mm3"] == pytest.approx(11600, rel=0.05)
    assert "image.coarse_pixels" in codes(volume)


def test_a_crop_with_turned_axes() -> None:
    volume = read_ct(real_data("lumbar-crop-subregions", "ct.nii.gz"))

    assert volume.geometry.axis_codes == "PIR"
    assert codes(volume) == ["image.short"]


def test_calibrated_density_does_not_pass_for_hounsfield_units() -> None:
    assert "image.masked_background" in codes(read_ct(real_data("verse004-L2-calibrated", "density.nii.gz")))


def test_an_mr_image_does_not_pass_for_a_ct() -> None:
    volume = read_ct(real_data("lumbar-mr", "t2.nii.gz"))

    (note,) = volume.findings
    assert (note.code, note.severity) == ("image.not_ct_like", Severity.BLOCK)
