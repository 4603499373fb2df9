"""The settings of what a channel's messages show, and in which form."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from config.values import Section, text_as_list


def _beside(value: Path) -> Path:
    path = PurePosixPath(value.as_posix())
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("write the path of a file beside config.yaml, such as templates/brief.j2")
    return value


class LayoutConfig(Section):
    """The parts of a channel's messages. Without `image`, the picture is as the service usually shows it.

    Title, link and time are always shown. A `template` is the whole text of posts about one article.
    """

    image: Literal["none", "thumbnail", "large"] | None = None
    show: Annotated[
        tuple[Literal["provider", "topics", "summary", "quality"], ...],
        BeforeValidator(text_as_list),
        Field(max_length=4),
    ] = ("provider", "topics", "summary")
    template: Annotated[Path, AfterValidator(_beside)] | None = None
