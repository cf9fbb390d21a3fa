"""The path converter for ids: decimal digits within 64 bits; other paths do not match (404)."""

from django.urls import register_converter

from socialapp.core.ids import MAX_ID


class IdConverter:
    """`<id:post_id>`."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """The number; ValueError (no match) beyond 64 bits."""
        number = int(value)
        if number > MAX_ID:
            raise ValueError(value)
        return number

    def to_url(self, value: int) -> str:
        """The digits."""
        return str(value)


register_converter(IdConverter, "id")
