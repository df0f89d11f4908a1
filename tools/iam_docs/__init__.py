"""Who may do what: every policy of the synthesized templates, its page in docs/, and what must hold of it."""
