"""Parking lanes: arm, loop and cars; plate cameras of two generations; a native barrier controller."""
