"""What a page shows, as pure values. Knows neither Django nor a store."""
