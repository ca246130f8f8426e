"""Doors: the leaf and the lock, the controller that reports its contact, the face terminal beside it."""
