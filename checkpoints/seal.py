"""The seal: 512 readable bytes before the HDF5 image. They check every other byte before HDF5 reads one.

    nnspec checkpoint
    format 1
    program nnspec 0.1.0
    length 2452
    sha256 <64 digits: of all bytes after these 512>
    seal <64 digits: of the lines above>

and spaces up to byte 511, which is a newline. This block is the same in all versions of the format, so that a reader
distinguishes a newer file from a damaged one.
"""

import hashlib
import re
from dataclasses import dataclass

from nnspec.checkpoints.errors import Damaged, Newer, NotACheckpoint, Refused

FORMAT_VERSION = 1
SIZE = 512  # bytes; the user block of the HDF5 file
MAGIC = b"nnspec checkpoint\n"

_BLOCK = re.compile(
    rb"(nnspec checkpoint\nformat ([1-9][0-9]{0,8})\nprogram nnspec ([!-~]{1,64})\n"
    rb"length ([1-9][0-9]{0,18})\nsha256 ([0-9a-f]{64})\n)seal ([0-9a-f]{64})\n *\n"
)
_FOREIGN = {b"\x89HDF": "an HDF5 file of another kind", b"\x89PNG": "a PNG image", b"PK\x03\x04": "a zip archive"}


@dataclass(frozen=True)
class Seal:
    """The first 512 bytes: format version, the nnspec that wrote the file, its length, SHA-256 of all later bytes."""

    version: int
    program: str
    length: int
    sha256: str

    def block(self) -> bytes:
        """Return the 512 bytes. Raises Refused if `program` is not one word of 1 to 64 printable ASCII characters."""
        lines = (
            f"{MAGIC.decode()}format {self.version}\nprogram nnspec {self.program}\n"
            f"length {self.length}\nsha256 {self.sha256}\n"
        ).encode()
        block = (lines + b"seal " + hashlib.sha256(lines).hexdigest().encode() + b"\n").ljust(SIZE - 1) + b"\n"
        if not _BLOCK.fullmatch(block):
            raise Refused(f"the program version {self.program!r} is not one word of 1 to 64 printable ASCII characters")
        return block


def open_block(data: bytes) -> Seal:
    """Return the seal in the first 512 bytes of `data`.

    Raises NotACheckpoint, Damaged, or Newer if the seal is right and the format later than this program's.
    """
    if not data or data[: len(MAGIC)] != MAGIC[: len(data)]:
        kind = _FOREIGN.get(bytes(data[:4]), "it begins with other bytes") if data else "it is empty"
        raise NotACheckpoint(f"not an nnspec checkpoint ({kind})")
    found = _BLOCK.fullmatch(data[:SIZE])
    if len(data) < SIZE:
        raise Damaged(f"damaged: it ends after {len(data)} bytes, inside its seal")
    if not found or hashlib.sha256(found[1]).hexdigest().encode() != found[6]:
        raise Damaged("damaged: the seal in its first 512 bytes has changed")
    seal = Seal(int(found[2]), found[3].decode(), int(found[4]), found[5].decode())
    if seal.version > FORMAT_VERSION:
        raise Newer(seal.version, FORMAT_VERSION, seal.program)
    return seal


def check_seal(image: bytes) -> Seal:
    """Verify the seal of a whole image, hashing it once, and return it. Raises as `open_block` does, and Damaged."""
    seal = open_block(image)
    if len(image) != seal.length:
        short = "was cut short" if len(image) < seal.length else "had bytes added"
        raise Damaged(f"damaged: it {short}, {len(image)} bytes of {seal.length}")
    if hashlib.sha256(memoryview(image)[SIZE:]).hexdigest() != seal.sha256:
        raise Damaged("damaged: its bytes have changed since it was written (their SHA-256 differs)")
    return seal
