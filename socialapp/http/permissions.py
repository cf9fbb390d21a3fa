"""Permissions of routes; `access` of each context decides about objects."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module through the settings


class SignedIn(BasePermission):
    """Anybody with a valid token."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether there is a principal."""
        return request.user is not None


class PublicRead(BasePermission):
    """Reads need no token, writes do."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the method is safe or there is a principal."""
        return request.method in SAFE_METHODS or request.user is not None


class Public(BasePermission):
    """No token needed."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Always."""
        return True
