"""Live fluoroscopy: the anatomy is projected once for a pose, instruments where they are.

A :class:`LiveView` holds everything about a pose that does not change while a needle moves: mass
paths, primary beam, scatter, exposure, window, the finished picture and how grainy it is at every
pixel. A frame then costs the rectangles that instruments cover and one pass of grain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vertebro.case import CArmPose, ViewDose
from vertebro.fluoroscopy.detector import (
    Exposure,
    detector_blur_sigma_px,
    focal_blur_sigma_px,
    scatter_field,
)
from vertebro.fluoroscopy.display import (
    Window,
    automatic_window,
    depth,
    edge_enhanced,
    open_field,
    slow_changes,
    to_grey,
)
from vertebro.fluoroscopy.energy_bins import EnergyBins, energy_bins
from vertebro.fluoroscopy.instruments import Instrument
from vertebro.fluoroscopy.projection import (
    Footprint,
    Projection,
    footprint,
    project_anatomy,
    with_instruments,
)
from vertebro.fluoroscopy.render import expose, view_dose
from vertebro.fluoroscopy.settings import FluoroscopySettings
from vertebro.fluoroscopy.tissue import Anatomy
from vertebro.numerics import gaussian_blur, transmitted, with_grain

_SPARE_GRAIN = 64
"""Rows and columns of grain beyond the picture, so that every frame can use another part of it."""
_GRAIN_SCALE = 32.0
"""Grain tile units for one standard deviation: fits ±3.9 in a signed byte."""


@dataclass(frozen=True, eq=False)
class _Base:
    """What does not change while the pose stands."""

    scatter: NDArray[np.float32]
    slow: NDArray[np.float32]
    """What dynamic-range compression takes off the depth."""
    grey: NDArray[np.uint8]
    grain_strength: NDArray[np.uint8]


class LiveView:
    """One plane of a C-arm standing still, with instruments moving in its beam.

    Parameters
    ----------
    anatomy : Anatomy
    pose : CArmPose
    settings : FluoroscopySettings, optional
    rng : numpy.random.Generator, optional
        For grain; without one frames are free of noise.

    Examples
    --------
    >>> from vertebro.fluoroscopy import Rod, prepare_anatomy
    >>> from vertebro.imaging import Volume, VolumeGeometry
    >>> grid = VolumeGeometry.from_spacing((40, 40, 40), (2.0, 2.0, 2.0), (-40.0, -40.0, -40.0))
    >>> anatomy = prepare_anatomy(Volume(np.zeros(grid.shape, np.int16), grid))
    >>> live = LiveView(anatomy, CArmPose.parse("ap", (0.0, 0.0, 0.0)), FluoroscopySettings(64, 64))
    >>> frame = live.frame([Rod((-20.0, 0.0, 0.0), (20.0, 0.0, 0.0), 3.4)])
    >>> bool(frame[32, 32] < live.frame([])[32, 32])
    True
    """

    def __init__(
        self,
        anatomy: Anatomy,
        pose: CArmPose,
        settings: FluoroscopySettings | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        self.settings = settings or FluoroscopySettings()
        self.projection: Projection = project_anatomy(anatomy, pose, self.settings)
        self._bins: EnergyBins = energy_bins(self.projection.arm, self.settings.beam)
        self._exposure: Exposure = expose(self.projection, self._bins, self.settings)
        pixel_mm = self.projection.pixel_mm
        focal = focal_blur_sigma_px(self.projection.arm, self.projection.plane, pixel_mm)
        self._blur_px = math.hypot(focal, detector_blur_sigma_px(self.projection.arm, pixel_mm))
        self._edge_px = self.settings.display.edge_kernel_mm / pixel_mm
        self._reach = math.ceil(3.0 * (self._blur_px + self._edge_px)) + 1
        self._field = open_field(self.projection.beam.shape, self.settings.collimation)
        self._rng = rng
        has_grain = rng is not None and self.settings.beam.noise
        self._grain = (
            _grain_tile(self.projection.beam.shape, self._grain_blur_px(), rng) if has_grain else None
        )
        self._attenuations: dict[tuple[tuple[str, float], ...], NDArray[np.float32]] = {}
        self._seen: list[tuple[Instrument, tuple[Footprint, ...]]] = []
        self._window, self._base = self._prepare()
        self._held: NDArray[np.uint8] = self._base.grey

    @property
    def dose_per_image(self) -> ViewDose:
        """Dose proxies of one image."""
        return view_dose(self._bins, self.projection.plane, self._exposure, self.settings)

    @property
    def last_image(self) -> NDArray[np.uint8]:
        """The last frame taken, held on the monitor while the beam is off."""
        return self._held

    def frame(self, instruments: Sequence[Instrument]) -> NDArray[np.uint8]:
        """Take a frame.

        Parameters
        ----------
        instruments : sequence of Instrument
            Projected anew unless the same object was in the last frame: a needle that stands still, or
            cement that has not flown on, costs no projection.

        Returns
        -------
        (rows, columns) uint8 array
        """
        prints = self._footprints(instruments)
        grey, strength = self._base.grey, self._base.grain_strength
        if prints:
            grey, strength = grey.copy(), strength.copy()
            for rows, columns in _regions(prints, self._reach, self.projection.beam.shape):
                self._redraw(rows, columns, prints, grey, strength)
        if self._grain is None or self._rng is None:
            self._held = grey
        else:
            corner = self._rng.integers(0, _SPARE_GRAIN, 2)
            self._held = with_grain(grey, strength, self._grain, (int(corner[0]), int(corner[1])))
            self._close_shutters(self._held)
        return self._held

    def _footprints(self, instruments: Sequence[Instrument]) -> list[Footprint]:
        """Where instruments lie; those that are the same object as in the last frame have not moved."""
        known = {id(item): found for item, found in self._seen}
        self._seen = [
            (item, known[id(item)] if id(item) in known else self._project(item)) for item in instruments
        ]
        return [print_ for _, found in self._seen for print_ in found]

    def _project(self, item: Instrument) -> tuple[Footprint, ...]:
        """The footprint of one instrument; empty where the view does not show it."""
        found = footprint(item, self.projection.beam)
        return () if found is None else (found,)

    def _grain_blur_px(self) -> float:
        return detector_blur_sigma_px(self.projection.arm, self.projection.pixel_mm)

    def _prepare(self) -> tuple[Window, _Base]:
        """Draw the picture without instruments."""
        paths = self.projection.paths_g_cm2
        primary = self._blurred_primary(paths, self.projection.compositions)
        if self.settings.beam.scatter:
            scatter = scatter_field(
                primary, paths.sum(axis=0), self.projection.arm, self.projection.plane, self.settings.beam
            )
        else:
            scatter = np.zeros_like(primary)
        signal = primary + scatter
        display = self.settings.display
        thickness = depth(signal)
        slow = slow_changes(thickness, display.flatten, display.flatten_kernel_mm / self.projection.pixel_mm)
        image = edge_enhanced(thickness - slow, display.edge_gain, self._edge_px)
        window = automatic_window(image, thickness, self._field, display)
        grey = to_grey(image, window, display)
        self._close_shutters(grey)
        return window, _Base(scatter, slow, grey, self._grain_strength(signal, window))

    def _close_shutters(self, picture: NDArray[np.uint8]) -> None:
        rows, columns = self._field
        picture[: rows.start] = 0
        picture[rows.stop :] = 0
        picture[:, : columns.start] = 0
        picture[:, columns.stop :] = 0

    def _blurred_primary(
        self, paths: NDArray[np.float32], compositions: Sequence[Mapping[str, float]]
    ) -> NDArray[np.float32]:
        attenuation = np.stack([self._attenuation(mix) for mix in compositions])
        primary = transmitted(paths, attenuation, self._bins.weights.astype(np.float32))
        return gaussian_blur(primary, self._blur_px)

    def _attenuation(self, mix: Mapping[str, float]) -> NDArray[np.float32]:
        """Of each energy bin; computed once for a mixture."""
        key = tuple(mix.items())
        if key not in self._attenuations:
            self._attenuations[key] = self._bins.attenuation_cm2_g(mix).astype(np.float32)
        return self._attenuations[key]

    def _grain_strength(self, signal: NDArray[np.float32], window: Window) -> NDArray[np.uint8]:
        """Grey values of noise for one unit of grain, times 8 (256 over the tile's 32 for one sigma)."""
        photons = self._exposure.open_photons * self.settings.beam.n_pulses
        read_noise = self.settings.beam.electronic_noise_photons
        n = np.maximum(signal * np.float32(photons), np.float32(1.0))
        sigma = np.sqrt(n + np.float32(read_noise**2)) / n * np.float32(1.0 + self.settings.display.edge_gain)
        per_depth = 255.0 / (window.high - window.low) * (256.0 / _GRAIN_SCALE) * self._grain_share
        return np.asarray(np.minimum(sigma * np.float32(per_depth), np.float32(255.0)), dtype=np.uint8)

    @property
    def _grain_share(self) -> float:
        """How much of a pixel's own noise is left once the detector has blurred it."""
        sigma = self._grain_blur_px()
        return 1.0 if sigma < 0.25 else min(1.0, 1.0 / (2.0 * math.sqrt(math.pi) * sigma))

    def _redraw(
        self,
        rows: slice,
        columns: slice,
        prints: Sequence[Footprint],
        grey: NDArray[np.uint8],
        strength: NDArray[np.uint8],
    ) -> None:
        """Draw the part of the picture that instruments change, with room around for the filters."""
        shape = self.projection.beam.shape
        wide = (_widened(rows, self._reach, shape[0]), _widened(columns, self._reach, shape[1]))
        paths, compositions = with_instruments(self.projection, prints, *wide)
        signal = self._blurred_primary(paths, compositions) + self._base.scatter[wide]
        display = self.settings.display
        image = edge_enhanced(depth(signal) - self._base.slow[wide], display.edge_gain, self._edge_px)
        inner = (
            slice(rows.start - wide[0].start, rows.stop - wide[0].start),
            slice(columns.start - wide[1].start, columns.stop - wide[1].start),
        )
        grey[rows, columns] = to_grey(image[inner], self._window, display)
        strength[rows, columns] = self._grain_strength(signal[inner], self._window)
        self._close_shutters(grey)


class LivePair:
    """Two planes at once, as a biplane suite shows them.

    Parameters
    ----------
    frontal, lateral : LiveView
    """

    def __init__(self, frontal: LiveView, lateral: LiveView) -> None:
        self.frontal = frontal
        self.lateral = lateral

    def frames(self, instruments: Sequence[Instrument]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Take a frame in each plane."""
        return self.frontal.frame(instruments), self.lateral.frame(instruments)


def _grain_tile(shape: tuple[int, int], blur_px: float, rng: np.random.Generator | None) -> NDArray[np.int8]:
    """Noise of one standard deviation, blurred as the detector does, larger than the picture."""
    assert rng is not None, "grain needs a generator"
    size = (shape[0] + _SPARE_GRAIN, shape[1] + _SPARE_GRAIN)
    noise = gaussian_blur(rng.standard_normal(size, dtype=np.float32), blur_px)
    noise *= np.float32(_GRAIN_SCALE) / noise.std()
    return np.clip(np.rint(noise), -127, 127).astype(np.int8)


def _widened(part: slice, reach: int, size: int) -> slice:
    return slice(max(part.start - reach, 0), min(part.stop + reach, size))


def _regions(prints: Sequence[Footprint], reach: int, shape: tuple[int, int]) -> list[tuple[slice, slice]]:
    """Rectangles that hold all footprints and what filters smear from them; overlapping ones joined."""
    boxes = [
        [
            max(item.rows.start - reach, 0),
            min(item.rows.stop + reach, shape[0]),
            max(item.columns.start - reach, 0),
            min(item.columns.stop + reach, shape[1]),
        ]
        for item in prints
    ]
    joined = True
    while joined:
        joined = False
        for index, box in enumerate(boxes):
            for other in boxes[index + 1 :]:
                if box[0] < other[1] and other[0] < box[1] and box[2] < other[3] and other[2] < box[3]:
                    boxes.remove(other)
                    box[:] = [
                        min(box[0], other[0]),
                        max(box[1], other[1]),
                        min(box[2], other[2]),
                        max(box[3], other[3]),
                    ]
                    joined = True
                    break
            if joined:
                break
    return [(slice(box[0], box[1]), slice(box[2], box[3])) for box in boxes]
