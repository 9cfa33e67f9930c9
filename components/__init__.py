"""What the platform is made of: one module per kind of component."""
