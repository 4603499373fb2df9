"""The settings that a channel has because of its service, as config.yaml holds them.

A setting whose name ends in `_env` names the environment variable that holds a secret.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

SECRET_SUFFIX = "_env"  # noqa: S105 - the ending of a setting's name


def _variable(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
        raise ValueError("write the name of an environment variable, such as SLACK_AI")
    return value


VariableName = Annotated[str, AfterValidator(_variable)]


class Options(BaseModel):
    """No setting but the common ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


class WebhookOptions(Options):
    """The settings of a service that needs nothing but a webhook's address."""

    webhook_env: VariableName
