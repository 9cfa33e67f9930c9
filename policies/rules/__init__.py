"""All rules of the pack: every rule stated in a module of this folder."""

from tollgate.policy.pack import find_rules

RULES = find_rules(__name__, __path__)
