"""Surfaces out: closed, turned outwards, of the right size, at the right place."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from spine_labels import draw, grid_for
from vertebro.errors import InputError
from vertebro.imaging import VolumeGeometry
from vertebro.io import surface_of, write_stl


def read_stl(path):
    content = path.read_bytes()
    assert not content.startswith(b"solid")
    count = int(np.frombuffer(content[80:84], "<u4")[0])
    layout = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    records = np.frombuffer(content[84:], layout)
    assert len(records) == count
    return records


def is_watertight(corners):
    """Every edge belongs to exactly two triangles that run through it in opposite directions."""
    edges = Counter()
    for triangle in corners:
        points = [tuple(point) for point in triangle.tolist()]
        for a, b in zip(points, points[1:] + points[:1], strict=True):
            edges[(a, b)] += 1
    return all(count == 1 and edges[(b, a)] == 1 for (a, b), count in edges.items())


def volume_mm3(corners):
    a, b, c = (corners[:, i].astype(np.float64) for i in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6.0)


def ball(spacing_mm, radius_mm=12.0, codes=(1.0, 1.0, 1.0)):
    n = [int(2 * (radius_mm + 3) / s) for s in spacing_mm]
    affine = np.diag([*(s * c for s, c in zip(spacing_mm, codes, strict=True)), 1.0])
    affine[:3, 3] = (10.0, -20.0, 30.0)
    grid = VolumeGeometry((n[0], n[1], n[2]), affine)
    index = np.indices(grid.shape).reshape(3, -1).T
    points = index @ affine[:3, :3].T + affine[:3, 3]
    inside = np.linalg.norm(points - grid.centre_lps_mm, axis=1) <= radius_mm
    return inside.reshape(grid.shape), grid


@pytest.mark.parametrize("smoothing_mm", [0.0, 1.0])
@pytest.mark.parametrize("signs", [(1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (-1.0, -1.0, 1.0)])
def test_ball_is_closed_turned_outwards_and_of_the_right_size(tmp_path, smoothing_mm, signs):
    mask, grid = ball((0.8, 1.0, 1.5), codes=signs)
    write_stl(tmp_path / "ball.stl", mask, grid, smoothing_mm=smoothing_mm)
    records = read_stl(tmp_path / "ball.stl")
    corners = records["corners"]
    assert is_watertight(corners)
    assert volume_mm3(corners) == pytest.approx(4 / 3 * np.pi * 12.0**3, rel=0.03)
    centre = grid.centre_lps_mm
    outward = corners.mean(axis=1) - centre
    assert (np.einsum("ij,ij->i", outward, records["normal"]) > 0.0).mean() > 0.99
    np.testing.assert_allclose(corners.reshape(-1, 3).mean(axis=0), centre, atol=0.3)


def test_mask_at_the_edge_of_its_grid_is_closed_there():
    grid = VolumeGeometry.from_spacing((3, 4, 5), (1.0, 1.0, 1.0))
    vertices, faces = surface_of(np.ones((3, 4, 5), bool), grid)
    corners = vertices[faces]
    assert is_watertight(corners)
    assert volume_mm3(corners) == pytest.approx(60.0, rel=0.2)


def test_vertebra_with_canal_and_processes_is_closed(tmp_path):
    geometry = grid_for(1, 1.5, "PIR")
    write_stl(tmp_path / "l1.stl", draw([20], geometry) > 0, geometry)
    corners = read_stl(tmp_path / "l1.stl")["corners"]
    assert is_watertight(corners)
    expected = (draw([20], geometry) > 0).sum() * 1.5**3
    assert volume_mm3(corners) == pytest.approx(expected, rel=0.05)


def test_same_mask_gives_the_same_bytes(tmp_path):
    mask, grid = ball((1.0, 1.0, 1.0))
    for name in ("a.stl", "b.stl"):
        write_stl(tmp_path / name, mask, grid)
    assert (tmp_path / "a.stl").read_bytes() == (tmp_path / "b.stl").read_bytes()


@pytest.mark.parametrize("smoothing_mm", [0.0, 5.0])
def test_mask_without_a_surface_is_refused(tmp_path, smoothing_mm):
    grid = VolumeGeometry.from_spacing((5, 5, 5), (1.0, 1.0, 1.0))
    mask = np.zeros((5, 5, 5), bool)
    mask[2, 2, 2] = smoothing_mm > 0.0
    with pytest.raises(InputError) as caught:
        write_stl(tmp_path / "x.stl", mask, grid, smoothing_mm=smoothing_mm)
    assert caught.value.code == "stl.empty"


def test_place_that_cannot_be_written_is_named(tmp_path):
    mask, grid = ball((1.0, 1.0, 1.0))
    with pytest.raises(InputError) as caught:
        write_stl(tmp_path / "no" / "x.stl", mask, grid)
    assert caught.value.code == "stl.not_writable"
