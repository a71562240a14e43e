"""Views: what each address answers."""
