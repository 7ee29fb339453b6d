"""The JSON parser of every API: ``core.json_text`` behind DRF's interface."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from core.json_text import BODY_BYTES_MAX, MalformedJSON, loads_strict


class StrictJSONParser(BaseParser):
    """``application/json``, always UTF-8: RFC 8259 knows no charset parameter, so one means nothing.

    A refusal becomes DRF's ``ParseError`` with the code ``MALFORMED_JSON``.
    """

    media_type = "application/json"
    bytes_max = BODY_BYTES_MAX

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            # One byte more than is allowed tells "too large" without reading the rest.
            return loads_strict(stream.read(self.bytes_max + 1), bytes_max=self.bytes_max)
        except MalformedJSON as error:
            raise ParseError(error.message, code=error.code) from error
