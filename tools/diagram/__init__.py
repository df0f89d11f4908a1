"""The drawings of docs/architecture.md, generated from the synthesized templates."""
