"""What reads synthesized templates and the settings, and writes pages and services from them."""
