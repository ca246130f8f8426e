"""Looking back: what the journal, an exported file or stored events say of a pack, and why a rule did what."""
