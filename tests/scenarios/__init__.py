"""Whole user journeys over real HTTP and WebSocket, on real services or the embedded default."""
