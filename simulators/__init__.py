"""Simulated equipment that speaks the makers' real wire formats.

Imports nothing of the gateway, its adapters or its rules, so that it is an independent check of them. Devices are pure
models (`step`, `command`); only `runner` opens connections and only `cli`, `runner` and `load` read clocks.
"""
