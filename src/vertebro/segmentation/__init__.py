"""Vertebrae from a bare CT: the built-in segmentation, without a trained network."""

from vertebro.segmentation.agreement import LevelAgreement, agreement
from vertebro.segmentation.corrections import correct
from vertebro.segmentation.segment import segment_spine
from vertebro.segmentation.settings import SegmentationSettings

__all__ = ["LevelAgreement", "SegmentationSettings", "agreement", "correct", "segment_spine"]
