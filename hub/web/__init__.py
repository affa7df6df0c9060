"""The hub's pages and its API, as one Flask application."""
