"""What each environment asks for: closed settings, tier profiles and one short file per stack."""
