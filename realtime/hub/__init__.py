"""The hub of a web process: mirror, topics and their subscribers, broadcasts."""
