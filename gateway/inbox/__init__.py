"""What comes in: messages from the broker, unacknowledged until the core has committed them.

`mqtt` is the connection (the only importer of paho), `frames` the bytes on the wire, `handover` the way from paho's
thread to the core's, `heartbeat` the proof of life, `probe` the questions to ask a broker before trusting it.
"""
