"""Connectors to shops and books, each a plugin of its own."""
