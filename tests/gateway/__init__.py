"""The gateway: a real nginx with the product's own configuration."""
