"""Tollgate: takes a proposed infrastructure change to an assessed, decided and explained one."""
