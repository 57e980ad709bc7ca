"""What of an earlier run is still there and unchanged."""

from __future__ import annotations

from vertebro.case import Manifest, StageRecord
from vertebro.io.case_folder import CaseFolder
from vertebro.workflow.manifest import hash_file


def valid_record(folder: CaseFolder, manifest: Manifest, name: str) -> StageRecord | None:
    """The record of a stage whose files all lie in the folder as they were written.

    Returns
    -------
    StageRecord or None
        None where the stage was not run, or a file it left is missing or altered.
    """
    record = manifest.stage(name)
    if record is None:
        return None
    for relative, sha256 in record.outputs.items():
        path = folder.path(relative)
        if not path.is_file() or hash_file(path) != sha256:
            return None
    return record


def remove_outputs(folder: CaseFolder, record: StageRecord) -> None:
    """Remove a stage's files, but none that was changed since it was written."""
    for relative, sha256 in record.outputs.items():
        path = folder.path(relative)
        if path.is_file() and hash_file(path) == sha256:
            path.unlink()
