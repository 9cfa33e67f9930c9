"""Rules about a resource and those that belong to it. Few, since each looks at a whole stack."""
