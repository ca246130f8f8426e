"""Lifts: the car as a thing, and the two formats its monitor may speak."""
