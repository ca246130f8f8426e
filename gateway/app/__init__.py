"""Composition roots: what `run`, `broker`, `core` and `api` are made of. The only place that knows all rooms."""
