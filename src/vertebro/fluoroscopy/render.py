"""One simulated X-ray image: anatomy, instruments, physics, display.

>>> import numpy as np
>>> from vertebro.case import CArmPose
>>> from vertebro.imaging import Volume, VolumeGeometry
>>> grid = VolumeGeometry.from_spacing((40, 40, 40), (2.0, 2.0, 2.0), (-40.0, -40.0, -40.0))
>>> ct = Volume(np.zeros(grid.shape, np.int16), grid)  # a cube of water
>>> small = FluoroscopySettings(n_rows=64, n_columns=64)
>>> view = render_view(ct, CArmPose.parse("ap", (0.0, 0.0, 0.0)), small)
>>> bool(view.signal[32, 32] < view.signal[2, 2])
True
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vertebro.case import CArmPose, Finding, FluoroView, ViewDose, finding
from vertebro.devices import CArm, CArmPlane
from vertebro.fluoroscopy.detector import (
    REFERENCE_POINT_MM,
    Exposure,
    add_noise,
    automatic_exposure,
    detector_blur_sigma_px,
    focal_blur_sigma_px,
    scatter_field,
)
from vertebro.fluoroscopy.display import (
    automatic_window,
    depth,
    filtered_depth,
    open_field,
    shuttered,
    to_grey,
)
from vertebro.fluoroscopy.energy_bins import EnergyBins, energy_bins
from vertebro.fluoroscopy.instruments import Instrument
from vertebro.fluoroscopy.pose_geometry import reach_findings
from vertebro.fluoroscopy.projection import (
    Projection,
    covered_by,
    footprint,
    project_anatomy,
    with_instruments,
)
from vertebro.fluoroscopy.settings import FluoroscopySettings
from vertebro.fluoroscopy.tissue import Anatomy, prepare_anatomy
from vertebro.imaging import Volume
from vertebro.numerics import gaussian_blur, transmitted

_SENSING_RAYS = 60
_CFR_POINT_MM = 300.0
"""Distance before the detector at which the legal air-kerma rate is measured (21 CFR 1020.32(d))."""
_TRUNCATED_SHARE = 0.03
"""Share of the CT's side faces that must be tissue for the body to count as cut off (assumed: above
what a table top or an arm's edge covers)."""


def render_view(
    patient: Volume | Anatomy,
    pose: CArmPose,
    settings: FluoroscopySettings | None = None,
    *,
    instruments: Sequence[Instrument] = (),
    rng: np.random.Generator | None = None,
) -> FluoroView:
    """Take a simulated X-ray image.

    Parameters
    ----------
    patient : Volume or Anatomy
        A CT, or one prepared with :func:`prepare_anatomy` (quicker for many views).
    pose : CArmPose
    settings : FluoroscopySettings, optional
    instruments : sequence of Instrument
        Needles, balloons, cement in the beam.
    rng : numpy.random.Generator, optional
        For noise; without one the image is free of noise.

    Returns
    -------
    FluoroView

    Raises
    ------
    InputError
        If the machine, its plane or a setting is not known or out of range.
    GeometryError
        If the focal spot lies inside the CT (``rays.source_inside``).
    """
    chosen = settings or FluoroscopySettings()
    anatomy = patient if isinstance(patient, Anatomy) else prepare_anatomy(patient, chosen.beam)
    projection = project_anatomy(anatomy, pose, chosen)
    bins = energy_bins(projection.arm, chosen.beam)
    exposure = expose(projection, bins, chosen)
    prints = [found for item in instruments if (found := footprint(item, projection.beam)) is not None]
    whole = (slice(0, chosen.n_rows), slice(0, chosen.n_columns))
    paths, compositions = with_instruments(projection, prints, *whole)
    attenuation = np.stack([bins.attenuation_cm2_g(mix) for mix in compositions]).astype(np.float32)
    primary = transmitted(paths, attenuation, bins.weights.astype(np.float32))
    primary = gaussian_blur(
        primary, focal_blur_sigma_px(projection.arm, projection.plane, projection.pixel_mm)
    )
    signal, scatter_share = _with_scatter(primary, paths, projection, chosen)
    if chosen.beam.noise and rng is not None:
        signal = add_noise(
            signal, exposure.open_photons * chosen.beam.n_pulses, chosen.beam.electronic_noise_photons, rng
        )
    signal = gaussian_blur(signal, detector_blur_sigma_px(projection.arm, projection.pixel_mm))
    dose = view_dose(bins, projection.plane, exposure, chosen)
    return FluoroView(
        pixels=_display(signal, chosen, projection.pixel_mm, covered_by(prints, signal.shape)),
        signal=signal,
        projection_matrix=projection.beam.projection_matrix(),
        source_lps_mm=projection.beam.source_mm,
        pose=pose,
        c_arm=chosen.c_arm,
        plane=chosen.plane,
        pixel_mm=projection.pixel_mm,
        dose=dose,
        findings=(
            *reach_findings(pose, projection.plane),
            *_truncation_findings(anatomy, pose),
            *_rate_findings(bins, projection.arm, projection.plane, exposure, chosen),
        ),
        facts={
            "tube_voltage_kv": chosen.beam.tube_voltage_kv,
            "beam_model": chosen.beam.model.value,
            "mean_energy_kev": round(float(bins.energies_kev @ bins.weights), 2),
            "scatter_share_of_signal": round(scatter_share, 3),
            "open_photons_per_pixel": round(exposure.open_photons, 1),
        },
    )


def expose(projection: Projection, bins: EnergyBins, settings: FluoroscopySettings) -> Exposure:
    """The exposure that automatic control chooses from the middle of the open field."""
    rows, columns = open_field(projection.beam.shape, settings.collimation)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    third = (
        slice(rows.start + height // 3, max(rows.stop - height // 3, rows.start + height // 3 + 1)),
        slice(columns.start + width // 3, max(columns.stop - width // 3, columns.start + width // 3 + 1)),
    )
    middle = projection.paths_g_cm2[(slice(None), *third)].reshape(len(projection.materials), -1)
    picked = np.linspace(0, middle.shape[1] - 1, min(_SENSING_RAYS, middle.shape[1])).astype(int)
    sensing = {name: middle[m, picked] for m, name in enumerate(projection.materials)}
    return automatic_exposure(
        bins, projection.arm, projection.plane, settings.beam, sensing, projection.pixel_mm
    )


def _with_scatter(
    primary: NDArray[np.float32],
    paths: NDArray[np.float32],
    projection: Projection,
    settings: FluoroscopySettings,
) -> tuple[NDArray[np.float32], float]:
    """The primary with the scatter field on it, and scatter's share of the signal in the middle."""
    if not settings.beam.scatter:
        return primary, 0.0
    thickness = paths.sum(axis=0)
    scatter = scatter_field(primary, thickness, projection.arm, projection.plane, settings.beam)
    rows, columns = primary.shape
    middle = (slice(rows // 3, rows - rows // 3), slice(columns // 3, columns - columns // 3))
    total = float(primary[middle].mean() + scatter[middle].mean())
    return primary + scatter, float(scatter[middle].mean()) / total


def _display(
    signal: NDArray[np.float32],
    settings: FluoroscopySettings,
    pixel_mm: float,
    covered: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    field = open_field((settings.n_rows, settings.n_columns), settings.collimation)
    display = settings.display
    image = filtered_depth(signal, display, pixel_mm)
    window = automatic_window(image, depth(signal), field, display, covered)
    return shuttered(to_grey(image, window, display), field)


def view_dose(
    bins: EnergyBins, plane: CArmPlane, exposure: Exposure, settings: FluoroscopySettings
) -> ViewDose:
    """Dose proxies of one image, all its pulses."""
    at_1m_ugy = bins.spectrum.air_kerma_ugy_per_mas * exposure.mas * settings.beam.n_pulses
    reference_mm = plane.source_isocentre_mm - REFERENCE_POINT_MM
    rows, columns = open_field((settings.n_rows, settings.n_columns), settings.collimation)
    width_cm = (columns.stop - columns.start) / settings.n_columns * plane.detector_width_mm / 10.0
    height_cm = (rows.stop - rows.start) / settings.n_rows * plane.detector_height_mm / 10.0
    at_detector_ugy = at_1m_ugy * (1000.0 / plane.source_detector_mm) ** 2
    return ViewDose(
        air_kerma_mgy=at_1m_ugy * (1000.0 / reference_mm) ** 2 / 1000.0,
        kerma_area_gy_cm2=at_detector_ugy * width_cm * height_cm * 1e-6,
        exposure_mas=exposure.mas * settings.beam.n_pulses,
        tube_voltage_kv=settings.beam.tube_voltage_kv,
        detector_air_kerma_ngy=exposure.detector_air_kerma_ngy * settings.beam.n_pulses,
    )


def _rate_findings(
    bins: EnergyBins, arm: CArm, plane: CArmPlane, exposure: Exposure, settings: FluoroscopySettings
) -> tuple[Finding, ...]:
    distance = (1000.0 / (plane.source_detector_mm - _CFR_POINT_MM)) ** 2
    per_pulse_mgy = bins.spectrum.air_kerma_ugy_per_mas * exposure.mas * distance / 1000.0
    rate = per_pulse_mgy * settings.beam.pulse_rate_hz * 60.0
    if rate <= arm.air_kerma_rate_limit_mgy_min:
        return ()
    return (
        finding(
            "view.dose_rate",
            f"This image asks for {rate:.0f} mGy/min; fluoroscopy may give "
            f"{arm.air_kerma_rate_limit_mgy_min:.0f}.",
            evidence={"air_kerma_rate_mgy_min": round(rate, 1)},
        ),
    )


def _truncation_findings(anatomy: Anatomy, pose: CArmPose) -> tuple[Finding, ...]:
    if anatomy.cut_share <= _TRUNCATED_SHARE:
        return ()
    return (
        finding(
            "view.truncated",
            f"The CT cuts the body off ({anatomy.cut_share:.0%} of one side is tissue): the image is too "
            "bright where rays pass what is missing, and dose is underestimated.",
            where=pose.label,
            evidence={"tissue_share_of_side": round(anatomy.cut_share, 3)},
        ),
    )
