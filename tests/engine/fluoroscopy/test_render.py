"""Whole images: what they show, what they cost, what they say."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from vertebro.case import CArmPose
from vertebro.errors import GeometryError, InputError, SettingsError
from vertebro.fluoroscopy import (
    BeamSettings,
    DisplaySettings,
    Fill,
    FluoroscopySettings,
    LivePair,
    LiveView,
    Rod,
    barium_cement,
    prepare_anatomy,
    render_view,
)
from vertebro.imaging import Volume, VolumeGeometry

CENTRE = (0.0, 0.0, 0.0)
SMALL = FluoroscopySettings(128, 128, beam=BeamSettings(noise=False))


def make_torso(*, spine_at_mm: float = 30.0) -> Volume:
    """An elliptic body with a bony column behind the middle and a dense ball on the patient's right."""
    spacing, shape = 3.0, (110, 80, 80)
    axes = [(np.arange(n) - (n - 1) / 2) * spacing for n in shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    hu = np.where((x / 150) ** 2 + (y / 100) ** 2 < 1, 20, -1000)
    hu[(x**2 + (y - spine_at_mm) ** 2 < 18**2) & (np.abs(z) % 32 < 25)] = 300
    hu[(x + 60) ** 2 + y**2 + (z - 40) ** 2 < 15**2] = 900
    origin = tuple(float(axis[0]) for axis in axes)
    return Volume(hu.astype(np.int16), VolumeGeometry.from_spacing(shape, (spacing,) * 3, origin))


@pytest.fixture(scope="module")
def torso():
    return prepare_anatomy(make_torso())


def test_ap_view_shows_the_ball_on_the_upper_left_and_dark(torso) -> None:
    view = render_view(torso, CArmPose.parse("ap", CENTRE), SMALL)

    column, row = view.project([-60.0, 0.0, 40.0])
    assert column < 40
    assert row < 45
    around = view.pixels[int(row) - 3 : int(row) + 4, int(column) - 3 : int(column) + 4]
    assert around.mean() < np.median(view.pixels) - 20


def test_lateral_view_shows_the_spine_behind_the_middle(torso) -> None:
    view = render_view(torso, CArmPose.parse("lateral", CENTRE), SMALL)

    other = render_view(make_torso(spine_at_mm=-30.0), CArmPose.parse("lateral", CENTRE), SMALL)
    behind = (view.signal / other.signal)[50:80].mean(axis=0)
    expected = float(view.project([0.0, 30.0, 0.0])[0])
    assert expected > 64
    assert abs(int(behind.argmin()) - expected) < 4


def test_a_needle_is_where_its_projection_is(torso) -> None:
    needle = Rod((30.0, 70.0, 5.0), (5.0, 20.0, 0.0), 3.4)
    pose = CArmPose.parse("RPO 25 CRA 10", CENTRE)
    plain = render_view(torso, pose, SMALL)
    view = render_view(torso, pose, SMALL, instruments=[needle])

    changed = np.argwhere(view.signal < 0.7 * plain.signal)[:, ::-1]
    ends = view.project([needle.start_lps_mm, needle.end_lps_mm])
    axis = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    across = np.abs((changed - ends[0]) @ np.array([-axis[1], axis[0]]))
    assert len(changed) > 20
    assert across.max() < 2.5
    along = (changed - ends[0]) @ axis
    assert along.min() > -2.0
    assert along.max() < np.linalg.norm(ends[1] - ends[0]) + 2.0


def test_down_the_barrel_a_needle_is_a_dot(torso) -> None:
    needle = Rod((35.0, 80.0, 10.0), (5.0, 10.0, 0.0), 3.4)
    axis = np.subtract(needle.start_lps_mm, needle.end_lps_mm)
    middle = tuple(np.add(needle.start_lps_mm, needle.end_lps_mm) / 2)
    pose = CArmPose.looking_along(axis, middle)

    view = render_view(torso, pose, SMALL, instruments=[needle])
    plain = render_view(torso, pose, SMALL)

    changed = np.argwhere(view.signal < 0.9 * plain.signal)
    assert 1 <= len(changed) < 25
    assert np.abs(changed - 63.5).max() < 4


def test_dose_follows_the_inverse_square_thickness_and_collimation(torso) -> None:
    ap, lateral = (render_view(torso, CArmPose.parse(name, CENTRE), SMALL).dose for name in ("ap", "lateral"))
    narrow = render_view(
        torso, CArmPose.parse("ap", CENTRE), replace(SMALL, collimation=(0.25, 0.25, 0.25, 0.25))
    ).dose

    assert lateral.air_kerma_mgy > 2 * ap.air_kerma_mgy
    assert narrow.kerma_area_gy_cm2 / narrow.air_kerma_mgy == pytest.approx(
        0.25 * ap.kerma_area_gy_cm2 / ap.air_kerma_mgy, rel=1e-6
    )
    # kerma-area product is the same in any plane of the beam: the detector's area, at the reference point
    area_cm2 = (29.8 * 380.0 / 1020.0) ** 2
    assert ap.kerma_area_gy_cm2 * 1000 == pytest.approx(ap.air_kerma_mgy * area_cm2, rel=1e-6)


def test_shutters_are_black_and_the_rest_is_not(torso) -> None:
    settings = replace(SMALL, collimation=(0.25, 0.0, 0.5, 0.0))

    view = render_view(torso, CArmPose.parse("ap", CENTRE), settings)

    assert view.pixels[:, :32].max() == 0
    assert view.pixels[:64].max() == 0
    assert view.pixels[64:, 32:].mean() > 50


def test_noise_falls_with_dose_and_is_repeatable(torso) -> None:
    pose = CArmPose.parse("ap", CENTRE)
    clean = render_view(torso, pose, SMALL).signal
    spreads = []
    for kerma in (20.0, 80.0):
        settings = replace(
            SMALL, beam=BeamSettings(detector_air_kerma_ngy=kerma, electronic_noise_photons=0.0)
        )
        one, again = (render_view(torso, pose, settings, rng=np.random.default_rng(4)) for _ in range(2))
        np.testing.assert_array_equal(one.pixels, again.pixels)
        spreads.append(float((one.signal / clean)[40:90, 40:90].std()))

    assert spreads[0] / spreads[1] == pytest.approx(2.0, rel=0.1)


def test_scatter_veils_contrast(torso) -> None:
    pose = CArmPose.parse("ap", CENTRE)
    with_veil = render_view(torso, pose, SMALL)
    without = render_view(torso, pose, replace(SMALL, beam=BeamSettings(noise=False, scatter=False)))

    def contrast(view) -> float:
        column, row = (round(float(number)) for number in view.project([-60.0, 0.0, 40.0]))
        return float(np.log(view.signal[row, column + 16] / view.signal[row, column]))

    assert 0 < contrast(with_veil) < 0.9 * contrast(without)
    assert 0.2 < with_veil.facts["scatter_share_of_signal"] < 0.7


def test_white_bone_is_the_negative(torso) -> None:
    pose = CArmPose.parse("ap", CENTRE)
    dark = render_view(torso, pose, SMALL).pixels
    white = render_view(torso, pose, replace(SMALL, display=DisplaySettings(bone_is_dark=False))).pixels

    assert np.abs(dark.astype(int) + white.astype(int) - 255).max() <= 1


def test_ct_that_cuts_the_body_off_is_told_and_a_whole_body_is_not(torso) -> None:
    whole = make_torso()
    cut = whole.crop((30, 0, 0), (80, 80, 80))
    pose = CArmPose.parse("ap", CENTRE)

    assert "view.truncated" not in [item.code for item in render_view(torso, pose, SMALL).findings]
    assert "view.truncated" in [item.code for item in render_view(cut, pose, SMALL).findings]


def test_more_dose_than_the_law_allows_is_told(torso) -> None:
    settings = replace(SMALL, beam=BeamSettings(detector_air_kerma_ngy=2000.0, noise=False))

    view = render_view(torso, CArmPose.parse("lateral", CENTRE), settings)

    assert "view.dose_rate" in [item.code for item in view.findings]


def test_metal_is_carried_where_the_ct_has_it() -> None:
    volume = make_torso()
    hu = np.array(volume.hu)
    hu[50:60, 40:44, 40:44] = 3071

    anatomy = prepare_anatomy(Volume(hu, volume.geometry))

    assert anatomy.materials == ("soft_tissue", "hydroxyapatite", "titanium")
    assert prepare_anatomy(volume).materials == ("soft_tissue", "hydroxyapatite")


def test_what_cannot_be_is_refused(torso) -> None:
    with pytest.raises(InputError):
        render_view(torso, CArmPose.parse("ap", CENTRE), replace(SMALL, c_arm="none"))
    with pytest.raises(GeometryError):
        render_view(torso, CArmPose.parse("ap", (0.0, 530.0, 0.0)), SMALL)
    with pytest.raises(SettingsError):
        BeamSettings(tube_voltage_kv=500.0)


def test_a_view_describes_itself_so_that_its_geometry_can_be_used_elsewhere(torso) -> None:
    view = render_view(torso, CArmPose.parse("RPO 15", CENTRE), SMALL)

    record = json.loads(json.dumps(view.to_json()))

    matrix = np.array(record["projection_matrix"])
    image = matrix @ [10.0, 20.0, 30.0, 1.0]
    np.testing.assert_allclose(image[:2] / image[2], view.project([10.0, 20.0, 30.0]), atol=1e-4)
    assert record["pose"]["label"] == "RPO 15"
    assert record["dose"]["air_kerma_mgy"] > 0


class TestLive:
    settings = FluoroscopySettings(160, 160, beam=BeamSettings(noise=False))
    pose = CArmPose.parse("RPO 20 CRA 10", CENTRE)

    def tools(self) -> list:
        index = np.arange(20) - 9.5
        ball = (index[:, None, None] ** 2 + index[:, None] ** 2 + index**2 < 8**2).astype(np.float32)
        affine = np.eye(4)
        affine[:3, 3] = [-20.0, 20.0, -30.0]
        return [Rod((30.0, 80.0, 5.0), (5.0, 20.0, 0.0), 3.4, 2.7), Fill(ball, affine, barium_cement())]

    def test_frame_without_instruments_is_the_rendered_image(self, torso) -> None:
        live = LiveView(torso, self.pose, self.settings)

        difference = live.frame([]).astype(int) - render_view(torso, self.pose, self.settings).pixels.astype(
            int
        )

        assert np.abs(difference).max() <= 6  # blurs of focal spot and detector are one here
        assert np.abs(difference).mean() < 0.5

    def test_frame_with_instruments_is_the_rendered_image_near_them_and_the_base_elsewhere(
        self, torso
    ) -> None:
        live = LiveView(torso, self.pose, self.settings)
        base, frame = live.frame([]), live.frame(self.tools())
        plain = render_view(torso, self.pose, self.settings)
        full = render_view(torso, self.pose, self.settings, instruments=self.tools())

        touched = full.signal < 0.6 * plain.signal
        assert touched.sum() > 100
        assert frame[touched].mean() < base[touched].mean() - 25
        untouched = np.abs(full.signal / plain.signal - 1) < 0.01
        far = np.argwhere(~untouched)
        rows, columns = far.min(axis=0), far.max(axis=0)
        outside = np.ones_like(touched)
        outside[max(rows[0] - 25, 0) : columns[0] + 25, max(rows[1] - 25, 0) : columns[1] + 25] = False
        np.testing.assert_array_equal(frame[outside], base[outside])

    def test_the_last_image_is_held(self, torso) -> None:
        live = LiveView(torso, self.pose, self.settings, rng=np.random.default_rng(0))

        frame = live.frame(self.tools())

        np.testing.assert_array_equal(live.last_image, frame)

    def test_an_instrument_that_stands_still_looks_as_if_projected_anew(self, torso) -> None:
        live, fresh = (LiveView(torso, self.pose, self.settings) for _ in range(2))
        tools = self.tools()
        live.frame(tools)

        again = live.frame(tools)  # the same objects: their footprints are kept
        moved = live.frame([replace(tools[0], end_lps_mm=(15.0, 12.0, 6.0)), *tools[1:]])

        np.testing.assert_array_equal(again, fresh.frame(self.tools()))
        assert (moved != again).sum() > 20
        np.testing.assert_array_equal(
            moved, fresh.frame([replace(tools[0], end_lps_mm=(15.0, 12.0, 6.0)), *self.tools()[1:]])
        )

    def test_grain_changes_from_frame_to_frame_as_strongly_as_noise_does(self, torso) -> None:
        settings = replace(self.settings, beam=BeamSettings(scatter=False))
        live = LiveView(torso, self.pose, settings, rng=np.random.default_rng(0))
        frames = np.stack([live.frame([]) for _ in range(30)]).astype(float)
        rendered = np.stack(
            [
                render_view(torso, self.pose, settings, rng=np.random.default_rng(seed)).pixels
                for seed in range(12)
            ]
        ).astype(float)

        middle = (slice(None), slice(50, 110), slice(50, 110))
        live_noise, true_noise = frames[middle].std(axis=0).mean(), rendered[middle].std(axis=0).mean()
        assert live_noise == pytest.approx(true_noise, rel=0.35)

    def test_a_pair_shows_both_planes(self, torso) -> None:
        views = [
            LiveView(
                torso,
                CArmPose.parse(name, CENTRE),
                replace(self.settings, c_arm="fixed_biplane", plane=plane),
            )
            for name, plane in (("ap", "main"), ("lateral", "lateral"))
        ]
        pair = LivePair(*views)

        frontal, lateral = pair.frames(self.tools())

        assert frontal.shape == lateral.shape == (160, 160)
        assert not np.array_equal(frontal, pair.frontal.frame([]))
        assert not np.array_equal(lateral, pair.lateral.frame([]))

    def test_an_instrument_outside_the_view_changes_nothing(self, torso) -> None:
        live = LiveView(torso, self.pose, self.settings)

        np.testing.assert_array_equal(live.frame([Rod((0, 0, 900), (0, 0, 950), 3.0)]), live.frame([]))

    def test_empty_cement_changes_nothing(self, torso) -> None:
        live = LiveView(torso, self.pose, self.settings)
        nothing = Fill(np.zeros((4, 4, 4), np.float32), np.eye(4), barium_cement())

        np.testing.assert_array_equal(live.frame([nothing]), live.frame([]))
