"""Classes of settings into what the documentation shows of them: a constructor with defaults."""

from __future__ import annotations

from typing import Any

import griffe

KEYWORD = griffe.ParameterKind.keyword_only


class SettingsSignatures(griffe.Extension):
    """Gives each subclass of `Settings` the constructor that its fields describe."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Add the constructor to a class whose members are known."""
        if "Settings" not in map(str, cls.bases):
            return
        fields = [each for each in cls.attributes.values() if not each.name.startswith("_")]
        init = griffe.Function(
            "__init__",
            parameters=griffe.Parameters(
                griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword),
                *(
                    griffe.Parameter(
                        each.name, annotation=each.annotation, kind=KEYWORD, default=each.value
                    )
                    for each in fields
                ),
            ),
            returns="None",
        )
        cls.set_member("__init__", init)
