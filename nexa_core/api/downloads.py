"""Files to take away: what each is called and what it is, said the same way everywhere."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import IO, Final

from starlette.responses import Response, StreamingResponse

from nexa_core.api.streaming import Written

_CHUNK: Final = 65_536
#: By the end of a file's name.
_MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "pdf": "application/pdf",
    "py": "application/x-python",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


def attached(name: str) -> dict[str, str]:
    """The header that has a browser keep what comes under this name (RFC 6266)."""
    return {"content-disposition": f'attachment; filename="{name}"'}


def whole(content: bytes, name: str) -> Response:
    """A file that is in memory."""
    return Response(content, media_type=_type_of(name), headers=attached(name))


def read(file: IO[bytes], name: str) -> Response:
    """A file that was written before the answer began, closed when it has been read."""
    return StreamingResponse(_chunks(file), media_type=_type_of(name), headers=attached(name))


def written(pieces: Generator[bytes], name: str) -> Response:
    """A file that is written while it is sent."""
    return Written(pieces, media_type=_type_of(name), headers=attached(name))


def _type_of(name: str) -> str:
    return _MEDIA_TYPES[name.rpartition(".")[2]]


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
