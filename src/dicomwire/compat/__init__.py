"""`import pynetdicom` and its submodules into this library: `install_as_pynetdicom`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["install_as_pynetdicom"]

NAME = "pynetdicom"

# What programs import below pynetdicom, and the module of ours that is given for it.
DOORS = {
    **{
        name: f"dicomwire.compat.{name}"
        for name in """_config _globals _handlers acse ae association dimse dimse_messages
        dimse_primitives dsutils dul fsm pdu pdu_items pdu_primitives presentation timer transport
        utils""".split()
    },
    **{name: f"dicomwire.{name}" for name in "_version events sop_class status".split()},
    "service_class": "dicomwire.standard.service_classes",
    "service_class_n": "dicomwire.standard.service_classes",
}


class _Doors(MetaPathFinder, Loader):
    """Finds the modules of ours that stand for pynetdicom's."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a submodule of pynetdicom is; None leaves other names to Python."""
        package, _, name = fullname.partition(".")
        if package != NAME or not name:
            return None
        if name not in DOORS:
            raise ModuleNotFoundError(
                f"dicomwire has nothing for '{fullname}'; docs/compatibility.md says why",
                name=fullname,
            )
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python: `exec_module` puts the real one in its place."""

    def exec_module(self, module: ModuleType) -> None:
        """Put our module in the place of the empty one that Python has made."""
        name = module.__name__
        sys.modules[name] = import_module(DOORS[name.partition(".")[2]])


def install_as_pynetdicom() -> None:
    """Let `import pynetdicom`, in this process and from now on, give this library.

    Call it before anything imports pynetdicom, which need not be installed. Calling it again does
    nothing. The loggers `pynetdicom.*` then hear what this library logs.

    Raises
    ------
    RuntimeError
        When the real pynetdicom has been imported already: objects of two libraries would mix.
    """
    ours = import_module("dicomwire.compat.package")
    present = sys.modules.get(NAME)
    if present is ours:
        return
    if present is not None:
        raise RuntimeError(
            "pynetdicom has been imported already; call dicomwire.install_as_pynetdicom() first "
            "thing, before any import of it"
        )
    sys.meta_path.insert(0, _Doors())
    sys.modules[NAME] = ours
    import_module("dicomwire.compat.logs").join_loggers()
