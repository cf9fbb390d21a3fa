"""Who may call a route at all; who may see or change an object is decided in the context's queries and actions."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module through the settings


class SignedIn(BasePermission):
    """Everyone with a valid token."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether there is a principal."""
        return request.user is not None


class PublicRead(BasePermission):
    """Reading needs no token, writing does."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the method is safe or there is a principal."""
        return request.method in SAFE_METHODS or request.user is not None


class Public(BasePermission):
    """No token needed."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Always."""
        return True
