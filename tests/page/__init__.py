"""The control-room page in a real browser."""
