"""Identifiers of what is written: the same content gets the same UIDs, every time.

UIDs are made from a hash of the content under the root 2.25, which anyone may use (DICOM PS3.5, B.2),
so that two runs on the same input give the same objects and a new result never bears an old one's name.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from vertebro.imaging import LabelVolume, Volume, VolumeGeometry

if TYPE_CHECKING:
    from pydicom import Dataset

MANUFACTURER = "vertebro"
MODEL = "vertebro"
SERIAL = "0"
"""Software has no serial number, and the standard wants one."""
_NAMESPACE = uuid.UUID("6b0f6a3e-3b1c-5d0e-9f52-76657274656b")


def uid_from(*parts: str) -> str:
    """A UID made from text.

    Examples
    --------
    >>> uid_from("a", "b") == uid_from("a", "b") != uid_from("ab")
    True
    >>> uid_from("a").startswith("2.25.")
    True
    """
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8")).hexdigest()
    return f"2.25.{uuid.uuid5(_NAMESPACE, digest).int}"


def content_hash(*parts: object) -> str:
    """SHA-256 of arrays, grids and text, as hexadecimal.

    Parameters
    ----------
    *parts : numpy arrays, VolumeGeometry, or anything whose ``str`` is stable

    Examples
    --------
    >>> content_hash("a", np.zeros(3)) == content_hash("a", np.zeros(3))
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, VolumeGeometry):
            digest.update(repr(part.shape).encode())
            digest.update(np.ascontiguousarray(np.round(part.lps_from_voxel, 6) + 0.0).tobytes())
        elif isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(str(part).encode("utf-8"))
        digest.update(b"\x1f")
    return digest.hexdigest()


def volume_hash(volume: Volume) -> str:
    """Hash of an image and where it came from."""
    facts = volume.facts
    return content_hash(volume.hu, volume.geometry, facts.study_uid, facts.series_uid, facts.patient_id)


def labels_hash(labels: LabelVolume) -> str:
    """Hash of labels with their names."""
    return content_hash(labels.labels, labels.geometry, sorted(labels.names.items()), labels.extent)


def stamp(dataset: Dataset, when: datetime, kind: str) -> None:
    """Set every date and time of a new object to ``when``, and its free UIDs to derived ones.

    Parameters
    ----------
    dataset : Dataset
        As a toolkit made it, with the time of day in it.
    when : datetime
        With or without a zone; one with a zone is written as UTC.
    kind : str
        What the object is, as a seed of its dimension organisation's UID.
    """
    moment = when.astimezone(UTC) if when.tzinfo is not None else when
    if when.tzinfo is not None:
        dataset.TimezoneOffsetFromUTC = "+0000"
    day, time = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")
    for name in ("ContentDate", "InstanceCreationDate", "SeriesDate"):
        setattr(dataset, name, day)
    for name in ("ContentTime", "InstanceCreationTime", "SeriesTime"):
        setattr(dataset, name, time)
    for item in dataset.get("ContributingEquipmentSequence") or ():
        item.ContributionDateTime = day + time
    organisation = uid_from("dimension organisation", kind, str(dataset.SOPInstanceUID))
    for sequence in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in dataset.get(sequence) or ():
            item.DimensionOrganizationUID = organisation
