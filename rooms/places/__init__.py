"""Commands on buildings, floors and rooms."""
