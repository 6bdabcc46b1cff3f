"""Immutable values: the base of everything that lives in a file."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, Strict

T = TypeVar("T")


class Noun(BaseModel):
    """A named, validated value. Unknown fields, wrong types, NaN and infinity are refused."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


Many = Annotated[tuple[T, ...], Strict(False)]
"""A tuple that may be given as a list; its items stay strict."""

Share = Annotated[float, Field(ge=0, le=1)]
NonNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
