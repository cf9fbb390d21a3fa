"""The Django app of the data lifecycle: serves its contracts for every context."""

from django.apps import AppConfig

from socialapp.contracts.data_export import DataExport
from socialapp.contracts.erasure_audit import ErasureAudit
from socialapp.core.contexts import served
from socialapp.rpc.calls import serve


class LifecycleConfig(AppConfig):
    """Erasure audit and data export, the same in every context."""

    name = "socialapp.lifecycle"
    label = "lifecycle"
    verbose_name = "Life of data"

    def ready(self) -> None:
        """Serves the erasure audit and the data export of each served context."""
        from socialapp.lifecycle.data_export import ContextDataExport
        from socialapp.lifecycle.erasure_audit import ContextErasureAudit

        for context in served():
            serve(DataExport, implementation=ContextDataExport(context.name), context=context.name)
            serve(ErasureAudit, implementation=ContextErasureAudit(context.name), context=context.name)
