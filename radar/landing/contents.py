"""Reads the bytes of extract files: hash, what no text may hold, unpacking within bounds. No SQL."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

import zstandard

from radar.core.errors import InputError
from radar.core.warehouse import readable_os_errors
from radar.landing.files import ExtractFile, is_member

# A packed file may grow to UNPACKED_FREE whatever its size; beyond that to MAX_RATIO times its size (extracts
# of real systems stay under 60, a file of one repeated byte reaches 1,000), and never beyond MAX_UNPACKED.
UNPACKED_FREE = 64 << 20
MAX_RATIO = 200
MAX_UNPACKED = 64 << 30
MAX_ZSTD_WINDOW = 128 << 20  # memory that the packed file may ask for

CHUNK = 1 << 20
ZSTD_CHUNK = 2 << 10  # packed bytes at a time: at most 64 MB come out of them at once
BOM = codecs.BOM_UTF8
UTF16_BOMS = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
DAMAGED = "send the file again: it is cut short or damaged"


def fingerprint(file: ExtractFile) -> tuple[str, InputError | None]:
    """The SHA-256 of the file as it is stored; where that is plain text, what TextCheck finds wrong."""
    digest = hashlib.sha256()
    check = TextCheck(file) if file.is_text and not file.compression else None
    problem = None
    with open(file.path, "rb") as stream:
        for chunk in _chunks(stream):
            digest.update(chunk)
            if check and not problem:
                problem = check.problem(chunk)
    if check and not problem:
        problem = check.problem(b"", is_last=True)
    return digest.hexdigest(), problem


class TextCheck:
    """Finds what no text file may hold: NUL, and what is not UTF-8, or UTF-16 with its byte order mark."""

    def __init__(self, file: ExtractFile) -> None:
        """Starts before the first byte."""
        self._file = file
        self._lines = 0
        self._is_first = True
        self._is_utf16 = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def problem(self, chunk: bytes, *, is_last: bool = False) -> InputError | None:
        """What is wrong with the next bytes, with the line; None where nothing is."""
        if self._is_first and chunk.startswith(UTF16_BOMS):
            self._is_utf16 = True
            self._decoder = codecs.getincrementaldecoder("utf-16")("strict")
        self._is_first = False
        if self._is_utf16:
            return self._problem_of_utf16(chunk, is_last=is_last)
        nul = chunk.find(b"\0")
        if nul >= 0:
            line = self._lines + chunk.count(b"\n", 0, nul) + 1
            return InputError(
                f"holds a NUL byte in line {line}: it is damaged, or not UTF-8",
                "send the file again, as UTF-8",
                file=self._file.source_file,
            )
        try:
            self._decoder.decode(chunk, is_last)
        except UnicodeDecodeError as error:
            line = self._lines + error.object.count(b"\n", 0, error.start) + 1
            return not_utf8(self._file.source_file, line)
        self._lines += chunk.count(b"\n")
        return None

    def _problem_of_utf16(self, chunk: bytes, *, is_last: bool) -> InputError | None:
        try:
            is_sound = "\0" not in self._decoder.decode(chunk, is_last)
        except UnicodeDecodeError:
            is_sound = False
        if is_sound:
            return None
        return InputError(
            "begins as UTF-16 text and does not go on as such", DAMAGED, file=self._file.source_file
        )


def not_utf8(source_file: str, line: int) -> InputError:
    """The error for text in another encoding: which one is a guess, and a wrong one changes names."""
    return InputError(
        f"line {line} is not UTF-8 text, perhaps Windows-1252 or Latin-1",
        "save the file as UTF-8",
        file=source_file,
    )


def unpack(file: ExtractFile, folder: Path) -> Path:
    """Write the unpacked file into `folder`. Raises InputError where it is damaged, cut short or a bomb."""
    packed_size = file.path.stat().st_size
    most = min(max(UNPACKED_FREE, MAX_RATIO * packed_size), MAX_UNPACKED)
    check = TextCheck(file) if file.is_text else None
    problem = None
    target = folder / f"unpacked.{file.format}"
    written = 0
    with open(file.path, "rb") as stream, readable_os_errors(target), open(target, "wb") as out:
        for chunk in _unpacked(file, stream):
            written += len(chunk)
            if written > most:
                raise unpacks_to_too_much(file, most, packed_size)
            problem = problem or (check.problem(chunk) if check else None)
            out.write(chunk)
    problem = problem or (check.problem(b"", is_last=True) if check else None)
    if problem:
        raise problem
    return target


def unpacks_to_too_much(file: ExtractFile, unpacked: int, packed: int) -> InputError:
    """The error for a file that grows beyond what real ones do."""
    return InputError(
        f"unpacks to more than {unpacked / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB",
        f"land it unpacked, or split it (more than {MAX_RATIO} times its size is not unpacked)",
        file=file.source_file,
    )


def _unpacked(file: ExtractFile, stream: BinaryIO) -> Iterator[bytes]:
    """The unpacked bytes; a stream that ends before its end marker is an error, not an end."""
    try:
        if file.compression == "zip":
            yield from _members(file, stream)
        elif file.compression == "gz":
            with gzip.open(stream, "rb") as unpacked:
                yield from _chunks(unpacked)
        else:
            yield from _zstd_frames(stream)
    except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, zstandard.ZstdError) as error:
        raise InputError(f"cannot be unpacked: {error}", DAMAGED, file=file.source_file) from error


def _members(file: ExtractFile, stream: BinaryIO) -> Iterator[bytes]:
    """The members of a zip one after another, each unpacked where it is a .gz, with a line end between.

    Of CSV and TSV members the first gives the header; each has to have the same. Raises InputError.
    """
    header = None
    with zipfile.ZipFile(stream) as archive:
        members = [one for one in archive.infolist() if is_member(one)]
        if file.format == "json" and len(members) > 1:
            raise InputError(
                f"has {len(members)} .json members",
                "send them one by one, or as .ndjson",
                file=file.source_file,
            )
        for member in sorted(members, key=lambda one: one.filename):
            if member.flag_bits & 1:
                raise zipfile.BadZipFile("a member is encrypted")
            with archive.open(member) as packed:
                is_gz = member.filename.lower().endswith(".gz")
                with gzip.open(packed, "rb") if is_gz else packed as unpacked:
                    if file.format in ("csv", "tsv"):
                        line = unpacked.readline(CHUNK)
                        if header is None:
                            yield line
                        elif line.removeprefix(BOM).strip() != header:
                            raise InputError(
                                "its members have different headers",
                                "send each as a file of its own",
                                file=file.source_file,
                            )
                        header = line.removeprefix(BOM).strip()
                    yield from _chunks(unpacked)
            yield b"\n"


def _zstd_frames(stream: BinaryIO) -> Iterator[bytes]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_ZSTD_WINDOW)
    frame = decompressor.decompressobj()
    is_inside = False
    while chunk := stream.read(ZSTD_CHUNK):
        while chunk:
            is_inside = True
            yield frame.decompress(chunk)
            chunk = b""
            if frame.eof:
                chunk, frame, is_inside = frame.unused_data, decompressor.decompressobj(), False
    if is_inside:
        raise EOFError("the file ends before its last frame does")


def _chunks(stream: BinaryIO | gzip.GzipFile | IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def begins_with(path: Path, prefix: bytes) -> bool:
    """Whether these are its first bytes."""
    with open(path, "rb") as stream:
        return stream.read(len(prefix)) == prefix


def without_bom(path: Path, folder: Path) -> Path:
    """A copy without the byte order mark."""
    target = folder / f"without_bom{path.suffix}"
    with open(path, "rb") as stream, readable_os_errors(target), open(target, "wb") as out:
        stream.seek(len(BOM))
        for chunk in _chunks(stream):
            out.write(chunk)
    return target


def is_utf16(path: Path) -> bool:
    """Whether it begins with a byte order mark of UTF-16."""
    return any(begins_with(path, mark) for mark in UTF16_BOMS)


def as_utf8(path: Path, folder: Path) -> Path:
    """A copy of UTF-16 text in UTF-8. Raises UnicodeDecodeError, which TextCheck finds first."""
    target = folder / f"utf8{path.suffix}"
    with (
        open(path, encoding="utf-16", newline="") as text,
        readable_os_errors(target),
        open(target, "w", encoding="utf-8", newline="") as out,
    ):
        while characters := text.read(CHUNK):
            out.write(characters)
    return target


def part(path: Path, folder: Path, begin: int, end: int) -> Path:
    """A copy of the bytes from `begin` to `end`."""
    target = folder / f"part{path.suffix}"
    with open(path, "rb") as stream, readable_os_errors(target), open(target, "wb") as out:
        stream.seek(begin)
        while begin < end and (chunk := stream.read(min(CHUNK, end - begin))):
            out.write(chunk)
            begin += len(chunk)
    return target


def with_plain_line_ends(path: Path, folder: Path) -> Path:
    """A copy in which every CRLF is LF: DuckDB refuses files that mix them."""
    target = folder / f"line_ends{path.suffix}"
    pending = b""
    with open(path, "rb") as stream, readable_os_errors(target), open(target, "wb") as out:
        for chunk in _chunks(stream):
            text = pending + chunk
            pending = b"\r" if text.endswith(b"\r") else b""
            out.write(text[: len(text) - len(pending)].replace(b"\r\n", b"\n"))
        out.write(pending)
    return target


def line_at(path: Path, offset: int) -> int:
    """The line, from 1, that holds the byte at `offset`."""
    line = 1
    with open(path, "rb") as stream:
        while offset > 0 and (chunk := stream.read(min(CHUNK, offset))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line


def is_cut_in_quotes(path: Path, offset: int) -> bool:
    """Whether the quotes from `offset` on never close, so that the file ends inside a quoted value."""
    quotes = 0
    with open(path, "rb") as stream:
        stream.seek(offset)
        for chunk in _chunks(stream):
            quotes += chunk.count(b'"')
    return quotes % 2 == 1


_QUOTED_OR_BLANK = re.compile(rb'"[^"]*"|(?<=\n)\r?\n')


def blank_lines(path: Path) -> list[int]:
    """The offsets of the empty lines of a CSV file, those inside quotes left out."""
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as text:
        if text.find(b"\n\n") < 0 and text.find(b"\n\r\n") < 0:
            return []
        return [match.start() for match in _QUOTED_OR_BLANK.finditer(text) if match.group()[:1] != b'"']
