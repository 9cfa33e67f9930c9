"""What may be asked of a ConfigCentre: values that change while services run, and how such a change goes out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.specs.foundation import Spec, Target
from components.specs.parameters import Key


class ConfigValueSpec(Spec):
    """One value that services take over without a restart."""

    value: bool | int | Annotated[str, StringConstraints(min_length=1, max_length=1024)] = Field(
        description="the value that services get"
    )
    minimum: int | None = Field(default=None, description="least that the validator lets through; for a number only")
    maximum: int | None = Field(default=None, description="most that the validator lets through; for a number only")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        numeric = isinstance(self.value, int) and not isinstance(self.value, bool)
        if not numeric:
            if self.minimum is not None or self.maximum is not None:
                raise ValueError(
                    "minimum and maximum mean nothing for a value that is no number; remove them, or write null"
                )
            return self
        if self.minimum is None or self.maximum is None:
            raise ValueError(
                f"value is {self.value}, and a number needs minimum and maximum; write both, so that a slip is refused"
            )
        if not self.minimum <= int(self.value) <= self.maximum:
            raise ValueError(
                f"value must lie between minimum and maximum, {self.minimum} and {self.maximum}, and is {self.value}"
            )
        return self

    def schema_of_value(self) -> dict[str, Any]:
        """The JSON Schema of the value."""
        if isinstance(self.value, bool):
            return {"type": "boolean"}
        if isinstance(self.value, int):
            return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}
        return {"type": "string", "minLength": 1, "maxLength": 1024}


class RolloutSpec(Spec):
    """How a change of configuration reaches the callers: by shares, then watched for a while."""

    growth: Literal["linear", "exponential"] = Field(description="equal shares, or each share twice the one before")
    # Bounds of AppConfig's CreateDeploymentStrategy.
    first_share_percent: int = Field(ge=1, le=100, description="share of callers in the first step; 100 is all at once")
    over_minutes: int = Field(ge=0, le=1440, description="minutes until the last share has it")
    # 0 would leave no time in which an alarm rolls the change back, so it is not offered.
    bake_minutes: int = Field(ge=1, le=1440, description="minutes of watching after the last share")

    @model_validator(mode="after")
    def _steps(self) -> Self:
        if (self.first_share_percent == 100) != (self.over_minutes == 0):
            raise ValueError(
                f"first_share_percent 100 and over_minutes 0 go together, both mean all at once, and they are "
                f"{self.first_share_percent} and {self.over_minutes}; write both or neither"
            )
        return self


class AlarmSpec(Spec):
    """A sum over a minute that, while it is too high, takes a new configuration back."""

    namespace: str = Field(
        max_length=255, pattern="^[A-Za-z][A-Za-z0-9_./#:-]*$", description="CloudWatch namespace of the metric"
    )
    metric: str = Field(
        max_length=255, pattern="^[A-Za-z][A-Za-z0-9_]*$", description="name of the metric, which services publish"
    )
    more_than: int = Field(ge=0, le=1_000_000, description="sum per minute above which a minute is bad")
    bad_minutes: int = Field(ge=1, le=60, description="bad minutes in a row before the alarm sounds")


class ConfigCentreSpec(Spec):
    """The configuration of one environment: one document, one way out."""

    values: dict[Key, ConfigValueSpec] = Field(min_length=1, description="values that change while services run")
    rollout: RolloutSpec | None = Field(description="how a change goes out; null where the target has no such thing")
    # AppConfig watches five alarms per environment at most (AppConfig, Environment.monitors).
    alarms: dict[Key, AlarmSpec] = Field(max_length=5, description="what takes a bad change back, five at most")

    def with_values(self, more: Mapping[str, ConfigValueSpec]) -> ConfigCentreSpec:
        """The same with values of other parts of the platform, under keys of their own."""
        return self.model_copy(update={"values": {**self.values, **more}})

    def document(self) -> str:
        """What services read: JSON with sorted keys, so that equal values are equal text."""
        return json.dumps({key: spec.value for key, spec in sorted(self.values.items())}, indent=1, ensure_ascii=False)

    def validator(self) -> str:
        """The JSON Schema that a document must meet. Draft 4, the one that AppConfig knows."""
        properties = {key: spec.schema_of_value() for key, spec in sorted(self.values.items())}
        return json.dumps(
            {
                "$schema": "http://json-schema.org/draft-04/schema#",
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            },
            indent=1,
        )

    def refused_by(self, target: Target) -> tuple[tuple[str, str], ...]:
        """(field, reason) for each promise that the target cannot keep."""
        if target is Target.AWS:
            refused = []
            if self.rollout is None:
                refused.append(("rollout", "AppConfig deploys by a strategy; say growth, shares and minutes"))
            if not self.alarms:
                refused.append(("alarms", "without one nothing takes a bad change back; name one to five"))
            return tuple(refused)
        refused = []
        if self.rollout is not None:
            reason = f"on {target} a change goes out with the rolling update of the workloads that mount it; write null"
            refused.append(("rollout", reason))
        if self.alarms:
            refused.append(("alarms", f"CloudWatch is not there on {target}; write {{}}"))
        return tuple(refused)
