"""Forms, `multipart/form-data` or urlencoded: little text, in UTF-8 only, and files that stay in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from service.audio.decoder import Upload
from service.errors import BadRequest, TooLarge, UnsupportedMedia

Fields = list[tuple[str, str]]  # name and value, in the order of the request

#: Most bytes of all text in a form; the longest parameters are 16,384 characters of metadata.
MAX_TEXT_BYTES = 2**18
_MAX_FIELDS = 256  # a hundred pieces of a recording have two each
_UTF8 = (b"utf-8", b"utf8", b"us-ascii")


def require_utf8(content_type: str) -> None:
    """Raises UnsupportedMedia if a form declares another charset: some codecs are slow or unsafe."""
    _, options = parse_options_header(content_type)
    if options.get(b"charset", b"utf-8").lower() not in _UTF8:
        raise UnsupportedMedia("The form's charset is not supported. Send UTF-8, and leave the charset out.")


def read_pairs(body: bytes) -> Fields:
    """The fields of an urlencoded form. Raises BadRequest."""
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError as error:
        raise BadRequest(
            f"The form cannot be read: {error}. If the body is a recording, add its Content-Type, for "
            "example audio/wav."
        ) from None


async def read_multipart(
    headers: Headers, chunks: AsyncGenerator[bytes, None], *, file_field: str, max_files: int, max_bytes: int
) -> tuple[list[Upload], Fields]:
    """The files and fields of a multipart form. Raises BadRequest, TooLarge, and what `chunks` raises."""
    parser = _WholeForm(headers, chunks, max_files=max_files, max_bytes=max_bytes)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise TooLarge(f"{error.message} Send fewer files.", max_files=max_files) from None
        raise BadRequest(f"The multipart body cannot be read: {error.message}") from None
    try:
        if not parser.ended:
            raise BadRequest("The multipart body ends before its last boundary: send all of it.")
        files: list[Upload] = []
        fields: Fields = []
        for name, value in form.multi_items():
            if not isinstance(value, UploadFile):
                fields.append((name, value))
            elif name == file_field:
                files.append(Upload(value.filename, await value.read()))
            else:
                raise BadRequest(f"File field {name!r} is unknown: the file field is named {file_field!r}.")
        return files, fields
    finally:
        await form.close()


class _WholeForm(MultiPartParser):
    """Starlette's parser, which alone drops what was cut off, guesses at text and uses the disk."""

    def __init__(
        self, headers: Headers, chunks: AsyncGenerator[bytes, None], *, max_files: int, max_bytes: int
    ) -> None:
        super().__init__(headers, chunks, max_files=max_files, max_fields=_MAX_FIELDS)
        self.spool_max_size = (
            max_bytes  # voices leave no trace in the temporary folder, and it cannot be full
        )
        self.ended = False
        self._text_bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """A piece of a file or of a field."""
        if self._current_part.file is None:
            self._text_bytes += end - start
            if self._text_bytes > MAX_TEXT_BYTES:
                raise TooLarge(
                    f"The form's text fields have more than {MAX_TEXT_BYTES} bytes together. Send less text.",
                    max_bytes=MAX_TEXT_BYTES,
                )
        super().on_part_data(data, start, end)

    def on_part_end(self) -> None:
        """The end of a file or of a field."""
        if self._current_part.file is None:
            try:
                self._current_part.data.decode()
            except UnicodeDecodeError:
                raise MultiPartException("A text field is not UTF-8.") from None
        super().on_part_end()

    def on_end(self) -> None:
        """The last boundary was read."""
        self.ended = True
