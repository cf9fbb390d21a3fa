"""Finds all contracts by name, so that calls over HTTP can be matched to their interface."""

from importlib import import_module
from pkgutil import iter_modules

import socialapp.contracts as package


def _find_contracts() -> dict[str, type]:
    found: dict[str, type] = {}
    for module_info in iter_modules(package.__path__):
        if module_info.name == "registry":
            continue
        module = import_module(f"{package.__name__}.{module_info.name}")
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and value.__module__ == module.__name__
                and getattr(value, "_is_protocol", False)
            ):
                found[value.__name__] = value
    return found


CONTRACTS: dict[str, type] = _find_contracts()
