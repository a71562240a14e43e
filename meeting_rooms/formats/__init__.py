"""How Django writes values where no template says otherwise."""
