"""Repaired frames that are kept: what nothing has changed about is not repaired again.

One file a frame, `000123.repair`, holds the new samples of the grown mask, by what they were filled and where the
repairer was unsure. It counts for as long as all that decides about the repair is the same: the pictures of the
window, the grown mask, the damage of the neighbours, the options of repair and grain, the seed, the weights, the
program and its libraries. A file that is damaged, or of something else, counts for nothing. `index` says of every frame
what it was made from, in a form that can be compared without reading a mask.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import threading
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reelmend.config import Job
from reelmend.edits import Operation
from reelmend.film import Frame, Mask
from reelmend.motion.picture import Picture
from reelmend.motion.windows import Plan
from reelmend.repair import weights_of
from reelmend.repair.grow import footprint_touches
from reelmend.repair.regions import Regions, parse_protect
from reelmend.report.source import versions

MAGIC = b"reelmend repair 1\n"

PICTURES = 4096
"""Pictures whose digests are remembered; a window needs thirteen."""

MARK = np.dtype([("settings", "<u8"), ("edits", "<u8"), ("found", "<f8"), ("unsure", "<f4"), ("spare", "<u4")])
"""What `index` says of a frame: digests of the settings and of the edits that it was made with, the share of its pixels
that was found damaged before edits, and the share that the repairer was unsure of. Settings of 0: nothing is kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A repaired frame, grain and all."""

    frame: Frame
    filled_by: NDArray[np.uint8]
    """`(h, w)`, codes of `FilledBy`."""
    unsure: Mask


class KeptRepairs:
    """The repairs of one reel by one job. Any thread may ask and add."""

    def __init__(self, folder: Path, job: Job, origin: str = "") -> None:
        """`origin`: in words, where the masks come from and what film they are of; compared by `index` only.

        Raises as `make_repairer` for a repairer that there is none of.
        """
        self.folder = folder
        self._options = options_of(job)
        self._settings = settings_of(job, origin)
        self._lock = threading.Lock()
        self._digests: dict[int, bytes] = {}
        self.found = self.added = 0
        """How often a repair was there, and how often one was added."""

    def key(self, plan: Plan, grown: Mask, near: Mapping[int, Mask]) -> bytes:
        """A digest of all that decides about a frame's repair; `near`: its neighbours' damage by frame number."""
        places = [one.index for one in plan.pictures]
        told = [self._options, json.dumps([grown.shape, places, len(plan.before), plan.copy_of]).encode()]
        key = hashlib.blake2b(b"\0".join(told), digest_size=32)
        for one in plan.pictures:
            key.update(self._digest(one))
        key.update(np.packbits(grown).tobytes())
        for number in sorted(near):
            key.update(number.to_bytes(8, "little") + np.packbits(near[number]).tobytes())
        return key.digest()

    def get(self, key: bytes, scan: Frame, grown: Mask) -> Kept | None:
        """The repair of a frame, if it is kept."""
        try:
            raw = self._place(scan.index).read_bytes()
        except OSError:
            return None
        head = MAGIC + key
        kept = _unpacked(raw[len(head) :], scan, grown) if raw.startswith(head) else None
        with self._lock:
            self.found += kept is not None
        return kept

    def has(self, key: bytes, index: int) -> bool:
        """Whether the repair that is kept of a frame is this one; whether it can be read is not looked at."""
        head = MAGIC + key
        try:
            with self._place(index).open("rb") as file:
                return file.read(len(head)) == head
        except OSError:
            return False

    def put(self, key: bytes, scan: Frame, grown: Mask, kept: Kept) -> bool:
        """Keep a repair in place of the frame's last one; False where there is no room, which costs only time."""
        place = self._place(scan.index)
        draft = place.with_name(f".{place.name}.{threading.get_ident()}.part")
        with self._lock:
            self.added += 1
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(MAGIC + key + _packed(kept, scan, grown))
            os.replace(draft, place)
        except OSError:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            return False
        return True

    def drop(self, index: int) -> None:
        """Keep nothing of a frame: there is nothing to repair in it."""
        with suppress(OSError):
            self._place(index).unlink(missing_ok=True)

    def mark(self, index: int, found: float, edits: Sequence[Operation], unsure: float) -> None:
        """Note in the index what a frame's repair, kept or needless, was made from."""
        row = np.array((self._settings, edits_of(edits), shown(found), unsure, 0), MARK)
        with self._lock, suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            # Others may be writing other rows: the file is begun by whoever comes first, and never anew.
            place = os.open(self.folder / "index", os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
            with os.fdopen(place, "r+b", buffering=0) as file:
                file.seek(index * MARK.itemsize)
                file.write(row.tobytes())

    def _place(self, index: int) -> Path:
        return self.folder / f"{index:06d}.repair"

    def _digest(self, one: Picture) -> bytes:
        known = self._digests.get(one.index)
        if known is None:
            known = _digest_of(one.frame)
            with self._lock:
                while len(self._digests) >= PICTURES:
                    del self._digests[next(iter(self._digests))]
                self._digests[one.index] = known
        return known


def read_marks(folder: Path) -> NDArray[Any]:
    """The index, a row of `MARK` a frame; empty where there is none."""
    try:
        raw = (folder / "index").read_bytes()
    except OSError:
        return np.zeros(0, MARK)
    return np.frombuffer(raw[: len(raw) - len(raw) % MARK.itemsize], MARK)


def options_of(job: Job) -> bytes:
    """A digest of all that a job says about how a given mask is repaired."""
    known = {
        "repair": job.repair.model_dump(mode="json"),
        "grain": job.grain.model_dump(mode="json"),
        "seed": job.seed,
        "device": job.device,
        "weights": weights_of(job.repair.repairer),
        "protected": None if job.repair.protect is None else digest_of_regions(job.repair.protect),
        "versions": _libraries(),
        "machine": [platform.machine(), sys.byteorder],
    }
    return hashlib.blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=32).digest()


def digest_of_regions(protect: str) -> str:
    """Of the label map and the numbers of its protected regions. Raises UsageError as `Regions.read`."""
    regions = Regions.read(*parse_protect(protect))
    told = repr((regions.labels.shape, sorted(regions.protected))).encode() + regions.labels.tobytes()
    return hashlib.blake2b(told, digest_size=16).hexdigest()


def settings_of(job: Job, origin: str) -> int:
    """A number for a job's options, and where masks and film come from; never 0."""
    return _number(options_of(job) + origin.encode()) or 1


def edits_of(edits: Sequence[Operation]) -> int:
    """A number for the edits of a frame, in their order; 0 for none."""
    return (_number(b"".join(map(_edit, edits))) or 1) if edits else 0


def shown(share: float) -> float:
    """A share as records have it."""
    return round(share, 7)


@lru_cache(maxsize=1 << 16)
def _edit(one: Operation) -> bytes:
    return hashlib.blake2b(one.model_dump_json().encode(), digest_size=16).digest()


def _number(told: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "little")


@lru_cache(maxsize=1)
def _libraries() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    made = versions()
    for name in ("onnxruntime", "openvino", "torch"):
        with suppress(PackageNotFoundError):
            made[name] = version(name)
    return made


def _digest_of(frame: Frame) -> bytes:
    digest = hashlib.blake2b(repr((frame.layout, [plane.shape for plane in frame.planes])).encode(), digest_size=32)
    for plane in frame.planes:
        digest.update(np.ascontiguousarray(plane).view(np.uint8).data)
    return digest.digest()


def _packed(kept: Kept, scan: Frame, grown: Mask) -> bytes:
    """New samples plane by plane, then origins, then where it was unsure, all of the grown mask alone."""
    layout = scan.layout
    parts = [
        plane[footprint_touches(grown, *layout.subsampling(number))].tobytes()
        for number, plane in enumerate(kept.frame.planes[: layout.colour_planes])
    ]
    parts += [kept.filled_by[grown].tobytes(), np.packbits(kept.unsure[grown]).tobytes()]
    return zlib.compress(b"".join(parts), 1)


def _unpacked(raw: bytes, scan: Frame, grown: Mask) -> Kept | None:
    layout = scan.layout
    wheres = [footprint_touches(grown, *layout.subsampling(number)) for number in range(layout.colour_planes)]
    counts = [int(np.count_nonzero(where)) for where in wheres]
    inside = int(np.count_nonzero(grown))
    total = sum(counts) * layout.dtype.itemsize + inside + -(-inside // 8)
    opened = zlib.decompressobj()
    try:
        body = opened.decompress(raw, total + 1)
    except zlib.error:
        return None
    if len(body) != total or not opened.eof:
        return None
    planes, at = list(scan.planes), 0
    for number, (where, count) in enumerate(zip(wheres, counts, strict=True)):
        planes[number] = planes[number].copy()
        planes[number][where] = np.frombuffer(body, layout.dtype, count, at)
        at += count * layout.dtype.itemsize
    filled_by, unsure = np.zeros(grown.shape, np.uint8), np.zeros(grown.shape, np.bool_)
    filled_by[grown] = np.frombuffer(body, np.uint8, inside, at)
    unsure[grown] = np.unpackbits(np.frombuffer(body, np.uint8, offset=at + inside), count=inside).view(np.bool_)
    return Kept(scan.with_planes(tuple(planes)), filled_by, unsure)
