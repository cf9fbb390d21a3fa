"""The bounded contexts, one package each; none imports another."""
