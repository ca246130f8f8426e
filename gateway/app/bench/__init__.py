"""`gatehouse bench`: what the gateway does on this machine, measured with real brokers, real disk and real load."""
