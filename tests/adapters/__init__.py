"""Adapters: the formats one by one, and the engine of the mappings."""
