"""The live protocol `/ws/v1/live`: frames, messages and their AsyncAPI description."""
