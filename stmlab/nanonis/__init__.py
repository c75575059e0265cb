"""The TCP protocol of the Nanonis controller, shared by the driver and the virtual controller."""
