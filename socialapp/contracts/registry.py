"""Finds all contracts by name, so that calls over HTTP can be matched to their interface."""

from importlib import import_module
from pkgutil import iter_modules

import socialapp.contracts as package


def _find_contracts() -> dict[str, type]:
    found: dict[str, type] = {}
    for module_info in iter_modules(package.__path__):
        module = import_module(f"{package.__name__}.{module_info.name}") if module_info.name != "registry" else None
        for value in vars(module).values() if module else ():
            if isinstance(value, type) and getattr(value, "_is_protocol", False) and value.__module__ == module.__name__:
                found[value.__name__] = value
    return found


CONTRACTS: dict[str, type] = _find_contracts()
