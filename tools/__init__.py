"""Tools for developers: checks of synthesized templates, generated pages, and new services."""
