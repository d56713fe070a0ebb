"""Networks in C on a Cortex-M of QEMU: flash, RAM and instructions. `python -m benchmarks.microcontroller`."""
