"""What every component has in common: a locked type token, names of children, and the options that keep data safe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pulumi

from components.naming import LONGEST_COMPONENT, physical
from components.specs import Safety

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Outputs = TypeVar("Outputs", bound=DataclassInstance)


class Refusal(pulumi.RunError):
    """A component was asked for something that its target cannot promise. Shown without a traceback."""


class Component(pulumi.ComponentResource):
    """Base of every component.

    The token is part of each child's address in the state: changing it would delete and recreate all of them, so a test
    locks the table ``TOKENS``. A new name therefore always comes with the old one: ``formerly`` on the class for its
    token, ``formerly`` in ``within`` and ``stateful`` for a child (docs/how-to/rename-a-resource.md).
    """

    TOKENS: ClassVar[dict[str, str]] = {}
    token: ClassVar[str]
    formerly: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls, *, token: str, formerly: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.formerly = formerly
        if token in Component.TOKENS:
            raise TypeError(f"two components claim the token {token}: {Component.TOKENS[token]} and {cls.__name__}")
        cls.token = token
        Component.TOKENS[token] = cls.__name__

    def __init__(self, name: str, *, safety: Safety | None = None, opts: pulumi.ResourceOptions | None = None) -> None:
        try:
            physical(name, LONGEST_COMPONENT)
        except ValueError as error:
            raise Refusal(str(error)) from None
        known_as = pulumi.ResourceOptions(aliases=[pulumi.Alias(type_=token) for token in self.formerly])
        super().__init__(self.token, name, None, pulumi.ResourceOptions.merge(opts, known_as))
        self._name_of_all = name
        self._safety = safety

    def child(self, name: str) -> str:
        """The name of a child: the component's own, then the child's part in it."""
        return f"{self._name_of_all}-{name}"

    def within(self, *, formerly: str | None = None, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child that holds no data. It inherits providers from its parent.

        formerly: the part of the child's name that ``child`` was given before it was renamed.
        """
        if formerly is not None:
            options["aliases"] = [pulumi.Alias(name=self.child(formerly))]
        return pulumi.ResourceOptions(parent=self, **options)

    def stateful(self, **options: Any) -> pulumi.ResourceOptions:
        """Options of a child that holds data: ``within``, and the tier's protection, which no caller can leave out."""
        if self._safety is None:
            raise TypeError(f"{type(self).__name__} holds data, so it needs a Safety")
        return self.within(
            protect=self._safety.protect,
            retain_on_delete=self._safety.retain_on_delete,
            **options,
        )

    def register(self, outputs: Outputs) -> Outputs:
        """Tell the engine the component is complete, with its outputs under the names of the dataclass's fields."""
        self.register_outputs(plain(outputs))
        return outputs

    def refuse(self, refused: Iterable[tuple[str, str]]) -> None:
        """Raise Refusal with every (field, reason) given; nothing when there is none."""
        lines = [f"{self._name_of_all}: {field}: {reason}" for field, reason in refused]
        if lines:
            raise Refusal("\n".join(lines))


def plain(outputs: Any) -> Any:
    """Typed outputs as plain mappings, all the way down, leaving out what this environment does not have."""
    if is_dataclass(outputs):
        found = {field.name: plain(getattr(outputs, field.name)) for field in fields(outputs)}
        return {name: value for name, value in found.items() if value is not None}
    if isinstance(outputs, dict):
        return {name: plain(value) for name, value in outputs.items()}
    return outputs
