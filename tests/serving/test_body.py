"""Bodies of requests: no value is taken for one of another type, and text can be kept."""

from datetime import UTC, datetime
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from serving.body import Body, Moment, Number
from serving.storable import Storable, Words, is_blank


class Asked(Body):
    flag: bool = False
    share: float = 0
    stars: Annotated[int, Field(strict=False, ge=1, le=5), Number] = 1
    name: Storable = ""
    words: Words = "x"
    at: Moment | None = None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("flag", 1), ("flag", "true"), ("share", "0.5"), ("share", True), ("stars", "5"),
        ("stars", True), ("stars", 5.5), ("stars", 6), ("name", 7), ("name", "a\0"),
        ("name", "\ud800"), ("words", ""), ("words", " \ufeff\x1f"), ("words", "a\0"),
        ("at", 1_700_000_000), ("at", "1700000000"), ("at", "2026-03-01"),
        ("at", "2026-03-01T10:00:00"), ("at", "2026-03-01 10:00:00Z"),
        ("at", "0001-01-01T00:00:00Z"), ("at", "2026-02-30T00:00:00Z"),
    ],
)  # fmt: skip
def test_what_is_of_another_type_or_cannot_be_kept_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        Asked.model_validate({field: value})


def test_json_has_one_kind_of_number() -> None:
    read = Asked.model_validate({"share": 1, "stars": 5.0})
    assert (read.share, read.stars) == (1.0, 5)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01T10:00:00+01:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01t10:00:00.25z", datetime(2026, 3, 1, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2999-12-31T23:59:59-23:59", datetime(3000, 1, 1, 23, 58, 59, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_rfc_3339_writes_it(written: str, meant: datetime) -> None:
    assert Asked.model_validate({"at": written}).at == meant


@given(st.text())
def test_text_without_words_is_what_python_strips_and_byte_order_marks(text: str) -> None:
    assert is_blank(text) == (not text.replace("\ufeff", " ").strip())
