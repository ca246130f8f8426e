"""Gatehouse: the open IoT gateway of smart communities."""

__version__ = "0.1.0"
