"""Fault injection: processes and servers are killed, hang or lose their data; events are lost or duplicated."""
