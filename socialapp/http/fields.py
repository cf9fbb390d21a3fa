"""Strict input fields: no numbers as text, no text as numbers, no unknown fields."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from socialapp.core.ids import MAX_ID
from socialapp.core.text.names import is_one_line
from socialapp.core.text.visible import has_control_characters, is_blank

_MOST_UNKNOWN = 20


class Text(serializers.CharField):
    """A JSON string without control characters (line breaks and tabs are allowed if `multiline`).

    One that is too long is refused before anything else is done with it: some of that takes quadratic time.
    `longest_form` is for subclasses that shorten it: how many characters may stand for one that counts.
    """

    longest_form = 1

    default_error_messages = {"control_character": "Control characters are not allowed."}

    def __init__(self, *, multiline: bool = False, **options: Any) -> None:
        self.multiline = multiline
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        """The text; refuses anything but a string. Text without visible characters is blank."""
        if not isinstance(data, str):
            self.fail("invalid")
        written = data.strip() if self.trim_whitespace else data
        if self.max_length is not None and len(written) > self.longest_form * self.max_length:
            self.fail("max_length", max_length=self.max_length)
        if has_control_characters(data, multiline=self.multiline):
            self.fail("control_character")
        text = super().to_internal_value(data)
        if self.trim_whitespace and is_blank(text):
            if not self.allow_blank:
                self.fail("blank")
            return ""
        return text


class Name(Text):
    """A person's name: one line, without characters that change the direction of text.

    Empty or white-space names are allowed if `allow_blank`; names that only look empty are refused: those of fillers,
    marks, or invisible characters.
    """

    default_error_messages = {
        "not_one_line": "A name must be one line, without characters that change the direction of text."
    }

    def to_internal_value(self, data: Any) -> str:
        """The name; refuses those that would disturb the text around them."""
        name = super().to_internal_value(data)
        if not name and data.strip():
            self.fail("blank")
        if not is_one_line(name):
            self.fail("not_one_line")
        return name


class Flag(serializers.BooleanField):
    """A JSON true or false."""

    def to_internal_value(self, data: Any) -> bool:
        """The value; refuses strings and numbers."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Integer(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        """The number; refuses strings, true and false."""
        if isinstance(data, (str, bool)):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "pattern": "^[0-9]{1,19}$"})
class Id(serializers.Field[int, Any, str, Any]):
    """An id: a string of decimal digits in JSON, an int in Python."""

    default_error_messages = {"invalid": "An id must be a string of decimal digits."}

    def to_internal_value(self, data: Any) -> int:
        """The number; refuses anything but a string of digits in the range of ids."""
        if not (
            isinstance(data, str) and data.isascii() and data.isdigit() and len(data) <= 19 and int(data) <= MAX_ID
        ):
            self.fail("invalid")
        return int(data)

    def to_representation(self, value: int) -> str:
        """The digits."""
        return str(value)


class List(serializers.ListField):
    """A JSON list; one that is too long is refused before its items are looked at."""

    def to_internal_value(self, data: Any) -> list[Any]:
        """The validated items."""
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().to_internal_value(data)


class Input(serializers.Serializer[Any]):
    """The base of input serializers: unknown fields are errors instead of being ignored."""

    default_error_messages = {"unknown_field": "This field is not part of the request."}

    def to_internal_value(self, data: Any) -> Any:
        """The validated values."""
        errors: dict[str, Any] = self._unknown_fields(data) if isinstance(data, dict) else {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**errors, **cast(dict[str, Any], error.detail)}) from None
        if errors:
            raise serializers.ValidationError(errors)
        return values

    def _unknown_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        """The errors of unknown fields, of the first few: there may be more than a hundred thousand."""
        message = str(self.error_messages["unknown_field"])
        unknown = sorted(str(name) for name in set(data) - set(self.fields))[:_MOST_UNKNOWN]
        return {name: [serializers.ErrorDetail(message, "unknown_field")] for name in unknown}
