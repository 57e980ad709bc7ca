"""Vertebrae from a bare CT: the built-in segmentation, without a trained network."""

from vertebro.segmentation.segment import segment_spine
from vertebro.segmentation.settings import SegmentationSettings

__all__ = ["SegmentationSettings", "segment_spine"]
