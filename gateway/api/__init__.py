"""The HTTP API and the control-room page: reads the store, hands every change to the core, and tells what changed."""
