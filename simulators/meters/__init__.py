"""Meters: what flows through them, and the formats that tell it."""
