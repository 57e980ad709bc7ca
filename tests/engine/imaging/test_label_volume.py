"""Label volumes."""

from __future__ import annotations

import numpy as np
import pytest

from vertebro.errors import GeometryError
from vertebro.findings import finding
from vertebro.imaging import LabelVolume, VolumeGeometry

GRID = VolumeGeometry.from_spacing((2, 2, 3), (1.0, 1.0, 1.0))
LABELS = np.array([[[0, 19, 20], [0, 19, 20]], [[0, 19, 20], [0, 0, 0]]], np.uint8)
NAMES = {19: "T12", 20: "L1"}


def test_names_keep_their_order() -> None:
    assert LabelVolume(LABELS, GRID, NAMES).level_names == ("T12", "L1")


def test_label_of_a_name() -> None:
    labels = LabelVolume(LABELS, GRID, NAMES)

    assert labels.label_of("L1") == 20
    with pytest.raises(KeyError, match="L5"):
        labels.label_of("L5")


def test_labels_names_and_source_cannot_be_changed() -> None:
    names = dict(NAMES)
    labels = LabelVolume(LABELS.copy(), GRID, names, source={"kind": "nifti"})
    names[21] = "L2"

    assert 21 not in labels.names
    with pytest.raises(ValueError, match="read-only"):
        labels.labels[0, 0, 0] = 1
    with pytest.raises(TypeError):
        labels.names[21] = "L2"  # type: ignore[index]
    with pytest.raises(TypeError):
        labels.source["kind"] = "dicom"  # type: ignore[index]


@pytest.mark.parametrize("part", ["labels", "subregions"])
def test_an_array_of_another_shape_is_refused_and_named(part: str) -> None:
    arrays = {"labels": LABELS, "subregions": LABELS} | {part: LABELS[:1]}

    with pytest.raises(GeometryError, match=f"a {part} array of shape") as caught:
        LabelVolume(arrays["labels"], GRID, NAMES, subregions=arrays["subregions"])

    assert caught.value.code == "labels.shape"


def test_subregions_are_read_only_too() -> None:
    labels = LabelVolume(LABELS, GRID, NAMES, subregions=LABELS.copy())

    assert labels.subregions is not None
    assert not labels.subregions.flags.writeable


def test_further_findings_are_added_to_new_labels() -> None:
    labels = LabelVolume(LABELS, GRID, NAMES, convention="verse", extent="vertebra")

    more = labels.with_findings(finding("image.metal", "Metal at L1."))

    assert [item.code for item in more.findings] == ["image.metal"]
    assert (more.convention, more.extent, labels.findings) == ("verse", "vertebra", ())
