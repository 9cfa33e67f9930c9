"""All rules of the pack: every rule stated in a module of this folder, and below."""

from tollgate.policy.pack import find_cross_rules, find_rules

RULES = find_rules(__name__, __path__)
CROSS_RULES = find_cross_rules(__name__, __path__)
