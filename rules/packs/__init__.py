"""The packs that ship with the product, one YAML file a domain."""
