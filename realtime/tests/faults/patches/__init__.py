"""Replacements by name: fail points, faults of the layer and of the clock, guards switched off."""

from realtime.tests.faults.patches import (
    delivery,
    failpoints,
    guards,
    lifecycle_guards,
    poison_guards,
)

PATCHES = {
    **failpoints.PATCHES,
    **delivery.PATCHES,
    **guards.PATCHES,
    **lifecycle_guards.PATCHES,
    **poison_guards.PATCHES,
}
