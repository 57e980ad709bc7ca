"""Images in the world: a grid with its place, a CT volume, a label volume; no file formats."""

from vertebro.imaging.label_volume import LabelVolume
from vertebro.imaging.resample import Interpolation, resample, sample_at
from vertebro.imaging.scalar_volume import ScalarVolume
from vertebro.imaging.volume import ImageFacts, Volume
from vertebro.imaging.volume_geometry import VolumeGeometry

__all__ = [
    "ImageFacts",
    "Interpolation",
    "LabelVolume",
    "ScalarVolume",
    "Volume",
    "VolumeGeometry",
    "resample",
    "sample_at",
]
