"""The simulated microscope: virtual instruments that parse the real bytes, around a junction with real physics."""
