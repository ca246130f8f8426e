"""The plant of a compound in the native format: a small physical model for each system."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.plant.device import PlantDevice
from simulators.plant.energy import Boiler, Charger, Generator, LightCircuit, Switchgear, Transformer, Ups
from simulators.plant.grounds import Bin, Camera, GasDetector, Irrigation, PatrolPoint, PatrolReader, Weather
from simulators.plant.safety import FirePanel, FirePump
from simulators.plant.water import LeakCable, Pump, Quality, Sump, Tank

SYSTEMS: Mapping[str, type[PlantDevice]] = {
    "pump": Pump,
    "tank": Tank,
    "water_quality": Quality,
    "sump": Sump,
    "leak_detector": LeakCable,
    "switchgear": Switchgear,
    "transformer": Transformer,
    "ups": Ups,
    "generator": Generator,
    "boiler": Boiler,
    "outdoor_lighting": LightCircuit,
    "charger": Charger,
    "fire_panel": FirePanel,
    "fire_pump": FirePump,
    "video_camera": Camera,
    "patrol_point": PatrolPoint,
    "patrol_reader": PatrolReader,
    "bin": Bin,
    "gas_detector": GasDetector,
    "weather_station": Weather,
    "irrigation": Irrigation,
}
"""Every system by the type its devices are registered with."""
