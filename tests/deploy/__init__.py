"""Deployment: image, compose files, manifests, graceful stops, observability."""
