"""NIfTI in and out, held against another implementation and against numbers worked by hand."""

from __future__ import annotations

import gzip
import resource
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vertebro.errors import GeometryError, ReadError
from vertebro.findings import Severity
from vertebro.geometry import rotation_about_axis
from vertebro.imaging import VolumeGeometry
from vertebro.io import load_nifti_array, read_ct, save_nifti
from vertebro.io.nifti import is_nifti

LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
RNG = np.random.default_rng(3)
IMAGE = RNG.integers(-1000, 1500, (4, 5, 6)).astype(np.int16)
AFFINE = np.array(
    [[0.0, -1.5, 0.0, 10.0], [0.0, 0.0, 2.0, -20.0], [1.0, 0.0, 0.0, 30.0], [0.0, 0.0, 0.0, 1.0]]
)


def written(path: Path, array: np.ndarray = IMAGE, affine: np.ndarray = AFFINE, **fields: object) -> Path:
    """A file made by nibabel, with header fields overruled."""
    image = nibabel.Nifti1Image(array, affine)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "f4", "f8"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_every_number_type_comes_in_as_it_was(tmp_path: Path, kind: str, suffix: str) -> None:
    array = RNG.integers(0, 100, (3, 4, 5)).astype(kind)

    got, geometry, header, findings = load_nifti_array(written(tmp_path / f"a{suffix}", array))

    np.testing.assert_array_equal(got, array)
    assert got.flags.c_contiguous
    assert got.dtype == (np.float32 if array.dtype.kind == "f" else array.dtype)
    np.testing.assert_allclose(geometry.lps_from_voxel, LPS_FROM_RAS @ AFFINE)
    assert (header.is_compressed, findings) == (suffix == ".nii.gz", ())


def test_big_endian_and_version_2(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(np.dtype(">i2"))
    nibabel.save(nibabel.Nifti1Image(IMAGE.astype(">i2"), AFFINE, header), tmp_path / "big.nii")
    nibabel.save(nibabel.Nifti2Image(IMAGE, AFFINE), tmp_path / "two.nii.gz")

    for name, version, is_big in (("big.nii", 1, True), ("two.nii.gz", 2, False)):
        array, geometry, facts, _ = load_nifti_array(tmp_path / name)
        np.testing.assert_array_equal(array, IMAGE)
        np.testing.assert_allclose(geometry.lps_from_voxel, LPS_FROM_RAS @ AFFINE)
        assert (facts.version, facts.is_big_endian) == (version, is_big)


@settings(max_examples=40, deadline=None)
@given(
    axis=st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.1, 1)),
    angle=st.floats(-3.1, 3.1),
    sizes=st.tuples(st.floats(0.3, 4), st.floats(0.3, 4), st.floats(0.3, 4)),
    is_mirrored=st.booleans(),
)
def test_what_is_written_comes_back_and_others_read_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    axis: tuple[float, float, float],
    angle: float,
    sizes: tuple[float, float, float],
    is_mirrored: bool,
) -> None:
    affine = rotation_about_axis(axis, angle) @ np.diag(
        [-sizes[0] if is_mirrored else sizes[0], *sizes[1:], 1.0]
    )
    affine[:3, 3] = (12.0, -30.0, 400.0)
    grid = VolumeGeometry(IMAGE.shape, affine)
    file = tmp_path_factory.mktemp("n") / "a.nii"

    save_nifti(file, IMAGE, grid)

    array, geometry, _, findings = load_nifti_array(file)
    np.testing.assert_array_equal(array, IMAGE)
    assert geometry.is_close(grid, 1e-3)
    assert findings == ()
    other = nibabel.load(file)
    np.testing.assert_array_equal(np.asarray(other.dataobj), IMAGE)
    np.testing.assert_allclose(LPS_FROM_RAS @ other.get_sform(), affine, atol=1e-4)
    np.testing.assert_allclose(LPS_FROM_RAS @ other.get_qform(), affine, atol=1e-3)


def test_a_sheared_grid_is_written_without_a_qform(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[1, 2] = 0.3

    save_nifti(tmp_path / "a.nii", IMAGE, VolumeGeometry(IMAGE.shape, affine))

    _, geometry, header, _ = load_nifti_array(tmp_path / "a.nii")
    assert (header.sform_code, header.qform_code) == (1, 0)
    np.testing.assert_allclose(geometry.lps_from_voxel, affine, atol=1e-6)


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    grid = VolumeGeometry.from_spacing(IMAGE.shape, (1.0, 1.0, 2.0))
    for name in ("a.nii.gz", "b.nii.gz"):
        save_nifti(tmp_path / name, IMAGE, grid, description="x", intent_name="labels")

    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_writing_a_wrong_shape_or_type_is_refused(tmp_path: Path) -> None:
    grid = VolumeGeometry.from_spacing((4, 5, 6), (1.0, 1.0, 1.0))
    with pytest.raises(GeometryError, match="the grid's shape"):
        save_nifti(tmp_path / "a.nii", IMAGE[1:], grid)
    with pytest.raises(TypeError, match="complex128"):
        save_nifti(tmp_path / "a.nii", IMAGE.astype(complex), grid)


@pytest.mark.parametrize(
    ("slope", "intercept", "kind", "factor", "shift"),
    [
        (0.0, 5.0, "i2", 1, 0),
        (np.nan, np.nan, "i2", 1, 0),
        (2.0, -1024.0, "i2", 2, -1024),
        (0.5, 1.0, "f4", 0.5, 1),
    ],
)
def test_scale_slopes(
    tmp_path: Path, slope: float, intercept: float, kind: str, factor: float, shift: float
) -> None:
    array = RNG.integers(0, 2000, (3, 4, 5)).astype(np.int16)
    content = bytearray(written(tmp_path / "a.nii", array).read_bytes())
    content[112:120] = np.array([slope, intercept], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(content)

    got, _, _, _ = load_nifti_array(tmp_path / "a.nii")

    assert got.dtype == np.dtype(kind)
    np.testing.assert_allclose(got, array * factor + shift)


def test_a_scale_that_leaves_int16_gives_floats(tmp_path: Path) -> None:
    array = np.full((3, 3, 3), 30000, np.int16)
    content = bytearray(written(tmp_path / "a.nii", array).read_bytes())
    content[112:120] = np.array([3.0, 0.0], "<f4").tobytes()
    (tmp_path / "a.nii").write_bytes(content)

    got, _, _, _ = load_nifti_array(tmp_path / "a.nii")

    assert (got.dtype, float(got[0, 0, 0])) == (np.dtype(np.float32), 90000.0)


def disagreeing(path: Path, qform: np.ndarray) -> Path:
    image = nibabel.Nifti1Image(IMAGE, np.diag([1.0, 1.0, 2.0, 1.0]))
    image.set_sform(np.diag([1.0, 1.0, 2.0, 1.0]), 1)
    image.set_qform(qform, 1)
    nibabel.save(image, path)
    return path


def test_forms_that_disagree_are_told_and_the_sform_wins(tmp_path: Path) -> None:
    moved = np.diag([1.0, 1.0, 2.0, 1.0])
    moved[2, 3] = 7.0
    _, geometry, _, (note,) = load_nifti_array(disagreeing(tmp_path / "a.nii", moved))

    assert geometry.lps_from_voxel[2, 3] == 0.0
    assert (note.code, note.severity) == ("nifti.forms_disagree", Severity.WARN)
    assert note.evidence["difference_mm"] == 7.0


def test_forms_that_exchange_the_sides_block(tmp_path: Path) -> None:
    mirrored = np.diag([-1.0, 1.0, 2.0, 1.0])
    _, _, _, (note,) = load_nifti_array(disagreeing(tmp_path / "a.nii", mirrored))

    assert (note.code, note.severity) == ("nifti.forms_disagree", Severity.BLOCK)
    assert (note.evidence["sform_axes"], note.evidence["qform_axes"]) == ("RAS", "LAS")


def test_without_orientation_the_sides_are_unknown(tmp_path: Path) -> None:
    file = written(tmp_path / "a.nii", affine=np.diag([1.0, 2.0, 3.0, 1.0]))
    content = bytearray(file.read_bytes())
    content[252:256] = bytes(4)
    file.write_bytes(content)

    _, geometry, _, (note,) = load_nifti_array(file)

    assert (note.code, note.severity) == ("nifti.no_orientation", Severity.BLOCK)
    assert geometry.spacing_mm == (1.0, 2.0, 3.0)


def test_a_damaged_sform_gives_way_to_the_qform(tmp_path: Path) -> None:
    file = disagreeing(tmp_path / "a.nii", np.diag([1.0, 1.0, 2.0, 1.0]))
    content = bytearray(file.read_bytes())
    content[280:284] = np.array([np.nan], "<f4").tobytes()
    file.write_bytes(content)

    _, geometry, _, (note,) = load_nifti_array(file)

    assert note.code == "nifti.form_damaged"
    assert geometry.spacing_mm == (1.0, 1.0, 2.0)


def test_metres_become_millimetres(tmp_path: Path) -> None:
    file = written(tmp_path / "a.nii", affine=np.diag([0.001, 0.001, 0.002, 1.0]), xyzt_units=1)

    _, geometry, header, (note,) = load_nifti_array(file)

    assert geometry.spacing_mm == pytest.approx((1.0, 1.0, 2.0))
    assert (header.length_unit, note.code) == ("metre", "nifti.units")


def test_four_dimensions_with_one_volume_are_fine_and_more_are_not(tmp_path: Path) -> None:
    one = written(tmp_path / "one.nii", IMAGE[..., None])
    two = written(tmp_path / "two.nii", np.stack([IMAGE, IMAGE], axis=-1))

    np.testing.assert_array_equal(load_nifti_array(one)[0], IMAGE)
    with pytest.raises(ReadError, match="2 volumes") as caught:
        load_nifti_array(two)
    assert caught.value.code == "nifti.several_volumes"


def test_colours_are_refused(tmp_path: Path) -> None:
    colours = np.zeros((4, 4, 4), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))

    with pytest.raises(ReadError, match="RGB colours") as caught:
        load_nifti_array(written(tmp_path / "a.nii", colours))
    assert caught.value.code == "nifti.type"


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "a.nii")
    file.write_bytes(file.read_bytes()[:-1])
    packed = tmp_path / "b.nii.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))

    for path in (file, packed):
        with pytest.raises(ReadError) as caught:
            load_nifti_array(path)
        assert caught.value.code == "nifti.truncated"


def test_half_of_a_pair_is_refused(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Pair(IMAGE, AFFINE), tmp_path / "a.img")

    with pytest.raises(ReadError, match="two-file"):
        load_nifti_array(tmp_path / "a.hdr")


def test_values_that_are_not_numbers_become_air(tmp_path: Path) -> None:
    hu = np.linspace(-1000.25, 800.0, 8000, dtype=np.float32).reshape(20, 20, 20)
    hu[3, 4, 5], hu[0, 0, 0] = np.nan, np.inf

    volume = read_ct(written(tmp_path / "a.nii", hu))

    assert (volume.hu[3, 4, 5], volume.hu[0, 0, 0]) == (-1024.0, -1024.0)
    assert "image.not_a_number" in [note.code for note in volume.findings]


def test_any_axis_order_is_the_same_place_in_the_world(tmp_path: Path) -> None:
    turned = np.transpose(IMAGE, (2, 0, 1))[:, ::-1]
    affine = AFFINE[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 1] * (turned.shape[1] - 1)
    affine[:3, 1] *= -1.0

    one = read_ct(written(tmp_path / "a.nii"))
    two = read_ct(written(tmp_path / "b.nii", turned, affine))

    place = one.lps_from_voxel @ [1.0, 2.0, 3.0, 1.0]
    index = np.rint(two.geometry.voxel_from_lps @ place)[:3].astype(int)
    assert two.hu[tuple(index)] == one.hu[1, 2, 3]


def test_a_series_of_a_nifti_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds one image"):
        read_ct(written(tmp_path / "a.nii"), series="1")


def test_what_begins_like_nifti(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")

    assert is_nifti(written(tmp_path / "a.nii"))
    assert is_nifti(written(tmp_path / "a.nii.gz"))
    assert not is_nifti(tmp_path / "text")
    assert not is_nifti(tmp_path)


def test_an_image_larger_than_memory_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "huge.nii"
    header = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.float32), AFFINE).header
    header.set_data_shape((30_000, 30_000, 20))
    with file.open("wb") as stream:
        stream.write(header.binaryblock + b"\0\0\0\0")
        stream.truncate(int(header["vox_offset"] or 352) + 30_000 * 30_000 * 20 * 4)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, hard))
    try:
        with pytest.raises(ReadError) as caught:
            load_nifti_array(file)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    assert caught.value.code in {"nifti.memory", "nifti.too_large"}
