"""The settings of a channel that depend on its service, as in config.yaml.

A setting whose name ends in `_env` names the environment variable that holds a secret.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from text.variables import variable_name

VariableName = Annotated[str, AfterValidator(variable_name)]


class ServiceOptions(BaseModel):
    """The settings of a service that has none besides the common ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True)


class WebhookOptions(ServiceOptions):
    """The settings of a service that needs only a webhook's address."""

    webhook_env: VariableName
