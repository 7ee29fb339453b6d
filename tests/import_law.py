"""A contract type for import-linter: inside an app, interfaces stand on processes, and processes on models."""

from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

# What connects an app with the world. Every other module is a process; `models` is below them all.
INTERFACES = ("admin", "api", "tasks", "consumers", "frames", "management", "pages")
# Neither: Django's own, the records of the past, and what may look at everything.
OUTSIDE = ("apps", "migrations", "tests")


class FloorsOfAnApp(Contract):
    """``admin|api|tasks|consumers|frames|management|pages → process modules → models`` in each of ``apps``."""

    apps: Any = fields.ListField(subfield=fields.StringField())
    below_models: Any = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Every import inside an app that runs upward breaks the contract."""
        upward = sorted(
            f"{importer} -> {imported}"
            for app in self.apps
            for importer in graph.find_descendants(app)
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported.startswith(f"{app}.") and self._runs_upward(importer, imported)
        )
        return ContractCheck(kept=not upward, metadata={"upward": upward})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """List the imports."""
        for line in check.metadata["upward"]:
            output.print_error(f"- {line}")

    def _runs_upward(self, importer: str, imported: str) -> bool:
        floors = self._floor(importer), self._floor(imported)
        return None not in floors and floors[0] < floors[1]

    def _floor(self, module: str) -> Any:
        """The number of the floor, counted from the pure rules; ``None`` for a module that stands outside."""
        if module in self.below_models:
            return 0
        name = module.split(".")[1]
        if name in OUTSIDE:
            return None
        return 3 if name in INTERFACES else 1 if name == "models" else 2
