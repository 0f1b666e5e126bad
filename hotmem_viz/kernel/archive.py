"""Bounded reading of .tar.xz archives that somebody else made: never to disk, never too much."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path, PurePosixPath

from hotmem_viz.errors import CaptureError

MAX_TOTAL_BYTES = 256 << 20
"""Unpacked size at which an archive is refused."""

MAX_MEMBER_BYTES = 64 << 20
MAX_MEMBERS = 20_000
MAX_DICTIONARY_BYTES = 128 << 20
"""Memory that the decompressor may use; xz at its strongest setting needs 65 MiB."""

_CHUNK = 1 << 18


class _Unpacker(io.RawIOBase):
    """The unpacked bytes of an .xz file, as a stream that refuses to grow without end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("rb")
        self.decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DICTIONARY_BYTES)
        self.total = 0

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.file.close()
        super().close()

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, or less; nothing at the end."""
        limit = _CHUNK if size < 0 else min(size, _CHUNK)
        data = b""
        while not data and not self.decoder.eof:
            packed = self.file.read(_CHUNK) if self.decoder.needs_input else b""
            if self.decoder.needs_input and not packed:
                raise CaptureError(self.path, "the archive ends early: truncated")
            data = self.decoder.decompress(packed, limit)
        self.total += len(data)
        if self.total > MAX_TOTAL_BYTES:
            raise CaptureError(self.path, f"it unpacks to more than {MAX_TOTAL_BYTES >> 20} MiB")
        return data


def read_tar_xz(path: Path) -> dict[str, bytes]:
    """Read all regular files of an archive into memory, by name below its one top folder.

    Raises
    ------
    CaptureError
        When the file is missing, is no .tar.xz, is truncated, unpacks to too much, or holds
        what no capture holds: links, devices, absolute names, names that climb out.
    """
    files: dict[str, bytes] = {}
    try:
        with _Unpacker(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for count, member in enumerate(archive, 1):
                if count > MAX_MEMBERS:
                    raise CaptureError(path, f"it holds more than {MAX_MEMBERS} files")
                if member.isdir():
                    continue
                name = _inner_name(path, member)
                if name in files:
                    raise CaptureError(path, f"it holds {name!r} twice")
                files[name] = _read_member(path, archive, member)
    except FileNotFoundError:
        raise CaptureError(path, "there is no such file") from None
    except IsADirectoryError:
        raise CaptureError(path, "it is a folder; a .tar.xz file is expected") from None
    except PermissionError:
        raise CaptureError(path, "it may not be read") from None
    except (lzma.LZMAError, tarfile.TarError, EOFError) as error:
        raise CaptureError(path, f"not a .tar.xz archive, or damaged ({error})") from None
    if not files:
        raise CaptureError(path, "it holds no file")
    return files


def _inner_name(path: Path, member: tarfile.TarInfo) -> str:
    parts = PurePosixPath(member.name).parts
    if parts[:1] == (".",):
        parts = parts[1:]
    if not member.isfile():
        raise CaptureError(path, f"it holds {member.name!r}, which is no regular file")
    if member.name.startswith("/") or ".." in parts or len(parts) < 2:
        raise CaptureError(path, f"it holds the name {member.name!r}, which leaves its folder")
    return "/".join(parts[1:])


def _read_member(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > MAX_MEMBER_BYTES:
        limit = MAX_MEMBER_BYTES >> 20
        raise CaptureError(path, f"{member.name!r} is larger than {limit} MiB")
    stream = archive.extractfile(member)
    data = stream.read() if stream else b""
    if len(data) != member.size:
        raise CaptureError(path, f"{member.name!r} ends early: truncated")
    return data
