"""The command that runs the product, and the operators' tools."""
